// poll_host.hpp - a guest turned with poll(2): run in steps, beside descriptors of the program's own. The model for a game's loop.
#pragma once

#include <corun/guest.hpp>

#include <memory>

struct pollfd;

namespace corun {

class guest_waiter;

/// Hosts a guest on the calling thread, a step at a time.
class poll_host {
public:
    /// Attaches; the guest must outlive this. Throws usage_error if the guest has a host or its backend lives on another host's loop
    /// (guest_news::host_loop), std::system_error if a pipe or thread that its backend needs can't be made.
    explicit poll_host(guest& g, dispatch_budget budget = {});
    poll_host(const poll_host&) = delete;

    /// Detaches. A guest whose run is not over needs another host, or request_stop() and drain().
    ~poll_host();

    /// Waits no longer than `at_most` (zero: not at all; the default: until there is something to do) and dispatches once.
    dispatch_result run_once(duration at_most = duration::max());

    /// Turns until `d` has passed or the run is over; true if it is over.
    bool run_for(duration d);

    /// Turns until `is_enough()`, asked after each dispatch, or until the run is over; true if it is over.
    template <class Predicate>
    bool run_until(Predicate is_enough) {
        while (!guest_.is_finished() && !is_enough())
            run_once();
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

    duration time_to_sleep() noexcept;
    native_handle handle() const noexcept;

    guest& guest_;
    dispatch_budget budget_;
    std::unique_ptr<pipe> pipe_;             // where the guest has no handle
    std::unique_ptr<guest_waiter> waiter_;   // that writes to it
};

}
