// cancel_reason.hpp - who asked a task to end, and where in the program.
#pragma once

#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>

namespace corun {

/// Who asked a task to end. A request means the same whoever made it (5.1): this is for logs, dumps and the debugger.
enum class cancel_origin : std::uint8_t {
    none,            ///< nobody
    explicit_call,   ///< cancel(), of a handle, a group or a submission
    timeout,         ///< a timeout() or timeout_scope that expired
    failed_group,    ///< a task group or gather() in which something failed
    lost_race,       ///< a race() that another one won
    shut_down,       ///< the end of the run
    interrupt,       ///< Ctrl-C or its like
    host,            ///< what turns a guest, guest::request_stop() say
};

/// "explicit", "timeout", "failed group"; empty for `none`.
std::string_view to_string(cancel_origin) noexcept;

/// Of a request: who made it, and the place of the call. Of a timeout and with_task_group() it is where that is called, of a gather and a
/// race where the program awaits it: one that is a task of its own, or a child of another, has none, as ends of runs and interrupts.
struct cancel_reason {
    const char* file = nullptr;   ///< null where there is no place; in the image of the code that asked, as its source_location
    std::uint32_t line = 0;
    cancel_origin origin = cancel_origin::none;

    constexpr cancel_reason() noexcept = default;
    constexpr explicit cancel_reason(cancel_origin who) noexcept : origin(who) {}
    constexpr cancel_reason(cancel_origin who, const std::source_location& where) noexcept
        : file(where.line() == 0 ? nullptr : where.file_name()), line(where.line()), origin(who) {}

    bool operator==(const cancel_reason&) const noexcept = default;
};

static_assert(sizeof(cancel_reason) <= 16, "each task has one");

/// "timeout at server.cpp:40", "shut down"; empty if nobody asked.
std::string to_string(const cancel_reason&);

}
