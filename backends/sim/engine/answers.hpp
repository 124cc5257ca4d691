// answers.hpp - errors as the simulated system gives them.
#pragma once

#include <corun/operation.hpp>

#include <system_error>

namespace corun::sim {

inline int code(std::errc e) noexcept { return static_cast<int>(e); }

inline std::error_code error(std::errc e) noexcept { return {code(e), std::system_category()}; }

inline bool answer(operation& o, std::errc e) noexcept {
    o.finish(code(e));
    return true;
}

}
