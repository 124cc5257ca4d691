// native_category.hpp - the system's own error codes.
#pragma once

#include <cstdint>
#include <system_error>

namespace corun {

/// The category of the system's own codes in corun's error_codes: std::system_category(), except on Windows, where that does not compare
/// with std::errc what sockets answer; there it is one of corun's that does, with the same codes and texts.
const std::error_category& native_category() noexcept;

namespace detail {

/// The system's own code for it, in native_category().
std::int32_t native_code(std::errc) noexcept;

}

}
