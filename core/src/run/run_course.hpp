// run_course.hpp - a run from main's first step to its end: what the thread that turns the loop does between two turns.
#pragma once

#include "run/shut_down.hpp"

#include <corun/loop.hpp>

#include <optional>
#include <string>

namespace corun::detail {

class run_course {
public:
    /// Without a main it is the loop's shut down alone.
    run_course(loop& l, std::optional<duration> grace, duration pool_grace) noexcept;

    /// Main's run comes first; unless `closing`, the loop is not shut down after it.
    void begin(task_state& main, bool closing) noexcept;

    /// Between two turns of the loop, which must be current: true when there is nothing more to do; until then a turn is next.
    bool advance() noexcept {
        if (main_is_under_way_ && !main_->is_done() && !loop_.attention.is_stopped())
            return false;
        return go_on();
    }

    /// Turns of the loop, as long as main is under way; at least one.
    void turn() noexcept;

    /// One turn, which waits no longer than `bound`.
    void turn(time_point bound) noexcept { loop_.turn(bound); }

    /// A guest's host asks main to end: as the first interrupt and, when the grace has passed, the second. Nothing once main has ended.
    void request_stop(const cancel_reason&) noexcept;

    loop& turning() const noexcept { return loop_; }

    /// After the end, while the loop is still there: what of it decides how the run ends.
    void note_end() noexcept;

    /// Throws what ended the run instead of main: deadlock, `interrupted`, or `cancelled`.
    void throw_end() const;

private:
    bool go_on() noexcept;

    loop& loop_;
    task_state* main_ = nullptr;
    bool main_is_under_way_ = false;
    bool closing_ = true;
    shut_down shut_down_;

    bool stopped_ = false;
    bool interrupted_ = false;
    int signal_ = 0;
    std::string stood_still_;   // what of the program did, when nothing more could come
};

}
