// poll_host.hpp - a guest turned with poll(2): run in steps, beside descriptors of the program's own. The model for a game's loop.
#pragma once

#include <corun/guest.hpp>

#include <memory>

struct pollfd;

namespace corun {

class hosting;

/// Hosts a guest on the calling thread, a step at a time.
class poll_host {
public:
    /// Attaches; the guest must outlive this. Throws usage_error if the guest has a host or its backend lives on another host's loop
    /// (guest_news::host_loop), std::system_error if a pipe or thread that its backend needs can't be made.
    explicit poll_host(guest& g, dispatch_budget budget = {});
    poll_host(const poll_host&) = delete;

    /// Detaches. A guest whose run is not over needs another host, or request_stop() and drain().
    ~poll_host();

    /// Waits no longer than `at_most` (zero: not at all; the default: until there is something to do) and dispatches once, within what is
    /// left of it. Throws usage_error(errc::wrong_thread) on another thread than the guest's, as all that turns it does.
    dispatch_result run_once(duration at_most = duration::max());

    /// Turns until `d` has passed, or the run is over; true if it is over. To the nanosecond where the system has ppoll(2), but for the
    /// step that is under way; no dispatch() begins a step later than that.
    bool run_for(duration d);

    /// Turns until `is_enough()`, asked after each dispatch, or until the run is over; true if it is over.
    template <class Predicate>
    bool run_until(Predicate is_enough) {
        while (!guest_.is_finished() && !is_enough()) {
            if (run_once().finished)
                return true;   // on_done may have ended guest and host
        }
        return guest_.is_finished();
    }

    /// Turns until the run is over. A guest that was not started has none: returns at once.
    void run();

    /// In a loop of your own: fills in what to poll, and answers for how long at most, in milliseconds rounded up (-1: no bound; 0: don't
    /// wait). Then poll, and call dispatch().
    int prepare(pollfd& to_poll) noexcept;

    /// After prepare() and the poll, whatever came of it.
    dispatch_result dispatch() noexcept;

private:
    struct pipe;

    duration prepare_to_poll(pollfd& to_poll) noexcept;
    dispatch_result dispatch(const dispatch_budget&) noexcept;

    guest& guest_;
    std::unique_ptr<pipe> pipe_;   // where the guest has no handle
    std::unique_ptr<hosting> hosting_;
};

}
