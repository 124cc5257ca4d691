// host_pump.hpp - a host in three functions, for a loop that calls back: when to dispatch and when to sleep is written here, once.
#pragma once

#include <corun/hosting.hpp>
#include <corun/usable_news.hpp>

#include <optional>

namespace corun {

/// Base of a host that drives the guest from callbacks of its loop (libuv, Asio, Qt): those call dispatch(), which ends in one of the three
/// functions. Belongs to the guest's thread, goes before the guest, and may go in one of its tasks or in on_done.
class host_pump {
public:
    host_pump(const host_pump&) = delete;

protected:
    explicit host_pump(guest& g, dispatch_budget budget = {}) noexcept : hosting_(g, budget) {}
    ~host_pump() = default;

    /// Becomes the guest's host, and asks for the first dispatch(): when the three functions may be called. Throws usage_error if the guest
    /// has a host, std::system_error if a thread or a descriptor that it needs can't be made.
    void attach(watched_by how);

    /// None of the three is called once this has returned. Idempotent; in the destructor of the host that has the three, at the latest.
    void detach() noexcept { hosting_.detach(); }

    /// For the loop's callbacks, with or without need: does what there is, then asks for the next one or sleeps. Throws nothing.
    void dispatch() noexcept;

    /// How the guest's news comes, once attached.
    guest_news news() const noexcept { return news_; }

    /// Null once it is detached.
    guest* hosted() const noexcept { return hosting_.hosted(); }

private:
    /// Sees to it that the loop calls dispatch() soon, after its other sources have had their turn. On the guest's thread; on any thread
    /// where sleep() is not given a handle.
    virtual void call_soon() noexcept = 0;

    /// The loop may sleep: from now on it is to call dispatch() when `handle` is readable (no_native_handle: there is none to watch), and
    /// once after `at_most`, rounded up, if that is given. What was watched and set before may stay or be replaced. Where it throws,
    /// call_soon() comes.
    virtual void sleep(native_handle handle, std::optional<duration> at_most) = 0;

    /// The guest's run is over: nothing is to be watched any more.
    virtual void stop() noexcept = 0;

    void wake() noexcept;

    hosting hosting_;
    guest_news news_ = guest_news::helper_thread;
};

}
