// scenes.hpp - what the tasks of many cases do: wait some turns, give a value, fail, sleep until they are asked to end.
#pragma once

#include <corun/corun.hpp>
#include <support/end_of.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

namespace testing {

inline corun::task<> turns(int n) {
    for (int i = 0; i < n; ++i)
        co_await corun::yield();
}

inline corun::task<int> gives(int value, int n = 0) {
    co_await turns(n);
    co_return value;
}

template <class T = void>
corun::task<T> fails(std::string what, int n = 0) {
    co_await turns(n);
    throw std::runtime_error(what);
}

/// No request is left behind: the count is zero and the next suspension is undisturbed.
inline corun::task<bool> nothing_is_left() {
    const auto next = co_await corun::settled(corun::yield());
    co_return next.has_value() && corun::this_task::handle().cancelling() == 0;
}

/// Sleeps until it is asked to end, notes that with its turn, and ends so.
inline corun::task<> asleep(trace& t, std::string name) {
    const auto left = co_await corun::settled(corun::sleep_for(std::chrono::hours(1)));
    t.note(name + ":" + end_of(left) + std::to_string(turn_number()));
    left.rethrow();
}

/// When it is asked to end it takes `n` turns, and fails then.
template <class T = void>
corun::task<T> fails_when_asked(std::string what, int n = 0) {
    const auto left = co_await corun::settled(corun::sleep_for(std::chrono::hours(1)));
    co_await turns(n);
    throw std::runtime_error(what);
}

/// When it is asked to end it takes its time, then ends so, or fails.
inline corun::task<> slow_to_end(int n, std::string fails_with = "") {
    const auto left = co_await corun::settled(corun::sleep_for(std::chrono::hours(1)));
    co_await turns(n);
    if (!fails_with.empty())
        throw std::runtime_error(fails_with);
    left.rethrow();
}

using group_body = std::function<corun::task<>(corun::task_group&)>;

/// Runs a group, and notes what left it and what the next two suspensions were: "value value value".
inline corun::task<> runs_group(trace& t, group_body body) {
    const auto left = co_await corun::settled(corun::with_task_group(body));
    t.note(end_of(left));
    for (int i = 0; i < 2; ++i) {
        const auto next = co_await corun::settled(corun::yield());
        t.note(end_of(next));
    }
}

/// What became of a request to the owner of a group.
struct group_request {
    bool was_there = false;    ///< when it was made the group had not ended
    bool was_taken = false;    ///< the owner had not ended
    std::uint32_t count = 0;   ///< the owner's requests in the end
};

/// The same in a task of its own, which is asked to end after `n` turns.
inline corun::task<group_request> runs_group_that_is_asked(trace& t, group_body body, int n = 2) {
    auto owner = corun::spawn(runs_group(t, std::move(body)));
    co_await turns(n);
    group_request made;
    made.was_there = t.empty();
    made.was_taken = owner.cancel();
    co_await owner;
    made.count = owner.cancelling();
    co_return made;
}

/// Cancels the group after `n` turns.
inline corun::task<> cancels(corun::task_group& g, int n = 0) {
    co_await turns(n);
    g.cancel();
}

/// When it is asked to end it lets the scope expire, and takes `n` turns.
inline corun::task<> expires_when_asked(corun::timeout_scope& scope, int n) {
    const auto left = co_await corun::settled(corun::sleep_for(std::chrono::hours(1)));
    scope.reschedule(corun::time_point::min());
    co_await turns(n);
}

}
