// exception_report.hpp - what a loop's exception hook is told.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <string_view>

namespace corun {

/// What the exception hook is told.
struct exception_report {
    std::string_view message;    ///< what happened: "a callback threw"
    std::exception_ptr error;    ///< never null; may hold `cancelled`
    std::uint64_t task_id = 0;   ///< 0 if no task is concerned
    std::string_view task_name;
};

/// Called for exceptions that no caller will see (3.6). If it throws, the default hook prints both.
using exception_hook = std::function<void(const exception_report&)>;

}
