// describe_place.hpp - where an await stands, as text.
#pragma once

#include <corun/task_info.hpp>

#include <exception>
#include <source_location>
#include <string>

namespace corun::detail {

frame_info frame_at(const std::source_location&);

/// `serve (server.cpp:40)`
std::string text_of(const frame_info&);
std::string describe_place(const std::source_location&);

/// The exception that `make()` gives, or what keeps it from being made.
template <class F>
std::exception_ptr error_or_reason(F make) noexcept {
    try {
        return std::make_exception_ptr(make());
    } catch (...) {
        return std::current_exception();
    }
}

}
