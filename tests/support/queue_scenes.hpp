// queue_scenes.hpp - tasks that get and put, what a queue holds, and how a wait at one that was shut down ends.
#pragma once

#include <corun/corun.hpp>
#include <support/end_of.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>

#include <optional>
#include <string>
#include <vector>

namespace testing {

/// Gets one; notes its name, the item and the turn.
inline corun::task<> gets(trace& t, corun::queue<int>& q, std::string name) {
    const int item = co_await q.get();
    t.note(name + "=" + std::to_string(item) + "@" + std::to_string(turn_number()));
}

/// Puts one; notes the item and the turn.
inline corun::task<> puts(trace& t, corun::queue<int>& q, int item) {
    co_await q.put(item);
    t.note("put" + std::to_string(item) + "@" + std::to_string(turn_number()));
}

/// An empty queue, and two tasks that will get from it, first `a`.
struct two_getters {
    explicit two_getters(trace& t) : a(corun::spawn(gets(t, q, "a"))), b(corun::spawn(gets(t, q, "b"))) {}
    corun::queue<int> q;
    corun::task_handle<> a, b;
};

/// A queue of one place, in which 1 is, and two tasks that will put 2 and 3, first `a`.
struct two_putters {
    explicit two_putters(trace& t) : a(corun::spawn(puts(t, q, 2))), b(corun::spawn(puts(t, q, 3))) { (void)q.try_put(1); }
    corun::queue<int> q{1};
    corun::task_handle<> a, b;
};

/// What is inside, in the order in which it comes out.
template <class Queue>
std::vector<int> drained(Queue& q) {
    std::vector<int> items;
    while (const std::optional<int> item = q.try_get())
        items.push_back(*item);
    return items;
}

inline bool is_shut_down(const corun::task_ref& t) { return end_of(t) == corun::queue_shut_down().what(); }

}
