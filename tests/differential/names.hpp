// names.hpp - how something ended, in words that are the same on every system.
#pragma once

#include <corun/outcome.hpp>

#include <exception>
#include <string>
#include <system_error>

namespace differential {

/// What a statement `fail` throws.
struct thrown {
    int number;
};

/// "connection_reset"; "ok" for no error.
std::string name_of(const std::error_code& e);

/// Of an I/O error the same, "cancelled", "E1", "group[timed_out E1]"; "ok" for null.
std::string name_of(const std::exception_ptr& e);

template <class T>
std::string name_of(const corun::outcome<T>& left) {
    return left.is_cancelled() ? "cancelled" : name_of(left.error());
}

}
