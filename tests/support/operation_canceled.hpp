// operation_canceled.hpp - what a wait ends with whose object has gone.
#pragma once

#include <exception>
#include <system_error>

namespace testing {

inline bool is_operation_canceled(const std::exception_ptr& error) {
    try {
        if (error)
            std::rethrow_exception(error);
    } catch (const std::system_error& e) {
        return e.code() == std::errc::operation_canceled;
    } catch (...) {
    }
    return false;
}

}
