// usage.hpp - which misuse a call or an await was refused for.
#pragma once

#include <corun/errors.hpp>
#include <corun/outcome.hpp>

#include <exception>
#include <optional>

namespace testing {

/// The code, if the exception is a usage_error.
inline std::optional<corun::errc> usage_of(const std::exception_ptr& error) {
    if (!error)
        return std::nullopt;
    try {
        std::rethrow_exception(error);
    } catch (const corun::usage_error& e) {
        return e.code();
    } catch (...) {
        return std::nullopt;
    }
}

template <class T>
std::optional<corun::errc> usage_of(const corun::outcome<T>& left) {
    return usage_of(left.error());
}

/// The code of the usage_error that leaves `f()`; nothing if none does.
template <class F>
    requires requires(F f) { f(); }
std::optional<corun::errc> usage_of(F f) {
    try {
        f();
    } catch (const corun::usage_error& e) {
        return e.code();
    }
    return std::nullopt;
}

}
