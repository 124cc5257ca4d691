// deaf_tasks.hpp - tasks that do not stop, and note the end of their frames.
#pragma once

#include <corun/corun.hpp>

#include <chrono>
#include <cstddef>
#include <vector>

namespace testing {

/// Notes its number where it goes.
struct notes_end {
    notes_end(std::vector<std::size_t>& t, std::size_t n) : to(t), number(n) {}
    notes_end(const notes_end&) = delete;
    ~notes_end() { to.push_back(number); }
    std::vector<std::size_t>& to;
    std::size_t number;
};

/// Waits an hour, and after a request two more; its frame notes its end. For virtual time.
inline corun::task<> is_deaf(std::vector<std::size_t>& ends, std::size_t number) {
    const notes_end local(ends, number);
    (void)co_await corun::settled(corun::sleep_for(std::chrono::hours(1)));
    co_await corun::sleep_for(std::chrono::hours(2));
}

/// So many of them, numbered from 0, under way. `ends` should have room: an allocation may be about to fail.
inline corun::task<> start_deaf_tasks(std::vector<std::size_t>& ends, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        corun::spawn([&ends, i] { return is_deaf(ends, i); });
    co_await corun::yield();
    co_await corun::yield();
}

}
