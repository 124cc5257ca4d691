// thread_host.hpp - a guest on any loop that can be asked, from other threads, to call a function soon.
#pragma once

#include <corun/guest.hpp>

#include <functional>
#include <memory>

namespace corun {

/// Hosts a guest where nothing but "call this soon" is to be had: a GUI's message queue, a game's frame, a loop on Windows. A helper thread
/// sleeps; everything of the guest's runs in the calls, on the thread that makes them. Costs two hops between threads for each sleep.
class thread_host {
public:
    /// Asks the host's loop to call the function on its thread, which is the guest's, soon and not within the request itself. Called on any
    /// thread; must not throw. Requests that are outstanding when the thread_host goes do nothing when they are called.
    using call_soon = std::function<void(std::function<void()>)>;

    /// Attaches; the guest must outlive this. Throws std::system_error if no thread can be made, usage_error if the guest has a host.
    thread_host(guest& g, call_soon post, dispatch_budget budget = {});
    thread_host(const thread_host&) = delete;

    /// Detaches. A guest whose run is not over needs another host, or request_stop() and drain().
    ~thread_host();

private:
    struct state;

    std::shared_ptr<state> state_;
};

}
