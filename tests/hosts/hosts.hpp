// hosts.hpp - the hosts that a guest's tests run in, by name; each in the plainest loop of its kind.
#pragma once

#include <corun/guest.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace testing {

/// A host's loop on this thread, with a guest in it.
class test_host {
public:
    test_host() = default;
    test_host(const test_host&) = delete;
    virtual ~test_host() = default;

    /// Makes the guest this loop's.
    virtual void attach(corun::guest& g, corun::dispatch_budget budget) = 0;

    /// Turns the loop until something says so.
    virtual void run_until(const std::function<bool()>& is_enough) = 0;

    /// The loop's own run function, and nothing else: returns when it does. One that goes on for ever (a main loop) ends by quit().
    virtual void run() = 0;

    /// In a callback: for loops whose run function is ended by a call.
    virtual void quit() {}

    /// Whether the guest keeps run() from returning; for loops whose run function ends by itself when nothing is left.
    virtual void keep_alive(bool) {}

    /// Calls `f` on the loop's thread, after `d`: a timer of the host's own.
    virtual void call_after(corun::duration d, std::function<void()> f) = 0;

    /// Detaches; what the loop holds beside the guest stays.
    virtual void detach() = 0;
};

/// The host that the environment names in CORUN_TEST_HOST; throws std::runtime_error for one that this build does not have.
std::unique_ptr<test_host> make_test_host();

}
