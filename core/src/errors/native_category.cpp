// native_category.cpp - where the system's codes are those of errno.
#include <corun/native_category.hpp>

namespace corun {

const std::error_category& native_category() noexcept { return std::system_category(); }

std::int32_t detail::native_code(std::errc e) noexcept { return static_cast<std::int32_t>(e); }

}
