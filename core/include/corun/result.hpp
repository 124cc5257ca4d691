// result.hpp - a value or an error_code, for those to whom an I/O error is data.
#pragma once

#include <corun/version.hpp>

#include <cstddef>
#include <system_error>
#include <utility>
#include <variant>

namespace corun {

/// A value, or the error that came instead. Answers of as_result() and of backends.
template <class T>
class [[nodiscard("it may hold an error: look at it")]] result {
public:
    using value_type = T;

    result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    result(std::error_code error) noexcept : state_(std::in_place_index<1>, error) {}
    result(std::errc error) noexcept : result(std::make_error_code(error)) {}

    /// True if there is a value.
    bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    /// The value; throws std::system_error if there is none.
    T& value() & {
        check();
        return *std::get_if<0>(&state_);
    }
    T&& value() && {
        check();
        return std::move(*std::get_if<0>(&state_));
    }
    const T& value() const& {
        check();
        return *std::get_if<0>(&state_);
    }

    /// The value, unchecked.
    T& operator*() & noexcept { return *std::get_if<0>(&state_); }
    const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
    T&& operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }
    T* operator->() noexcept { return std::get_if<0>(&state_); }
    const T* operator->() const noexcept { return std::get_if<0>(&state_); }

    /// The error; a default one if there is a value.
    std::error_code error() const noexcept {
        const auto* const error = std::get_if<1>(&state_);
        return error ? *error : std::error_code();
    }

private:
    void check() const {
        if (!has_value())
            throw std::system_error(error());
    }

    std::variant<T, std::error_code> state_;
};

/// Success, or the error that came instead.
template <>
class [[nodiscard("it may hold an error: look at it")]] result<void> {
public:
    using value_type = void;

    result() noexcept = default;
    result(std::error_code error) noexcept : error_(error) {}
    result(std::errc error) noexcept : error_(std::make_error_code(error)) {}

    bool has_value() const noexcept { return !error_; }
    explicit operator bool() const noexcept { return has_value(); }

    /// Throws std::system_error if there is an error.
    void value() const {
        if (error_)
            throw std::system_error(error_);
    }

    std::error_code error() const noexcept { return error_; }

private:
    std::error_code error_;
};

}
