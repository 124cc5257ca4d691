// as_completed.hpp - tasks in the order in which they end.
#pragma once

#include <corun/event.hpp>
#include <corun/task.hpp>
#include <corun/task_handle.hpp>

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace corun {

/// Gives tasks one after another as they end (asyncio.as_completed). Cancels nothing: tasks that were not fetched run on. Belongs to the
/// loop's thread; doesn't move.
template <class T>
class completions {
public:
    /// Throws std::bad_alloc; nothing is watched then.
    explicit completions(std::vector<task_handle<T>> tasks) : completions(std::move(tasks), prepared()) {
        for (std::size_t i = 0; i < tasks_.size(); ++i)
            callbacks_.push_back(tasks_[i].on_done([this, i] {
                ended_.push_back(i);
                news_.set();
            }));
    }
    completions(const completions&) = delete;
    ~completions() {
        for (callback_handle& c : callbacks_)
            c.cancel();
    }

    /// Waits until the next one has ended and gives its handle; nullopt when all have been given. A request ends the wait with `cancelled`,
    /// and no task is lost.
    task<std::optional<task_handle<T>>> next() {
        while (given_ == ended_.size()) {
            if (given_ == tasks_.size())
                co_return std::nullopt;
            news_.clear();
            co_await news_.wait();
        }
        co_return std::move(tasks_[ended_[given_++]]);
    }

private:
    struct prepared {};
    // Room for all, so that an end is never lost for want of memory.
    completions(std::vector<task_handle<T>> tasks, prepared) : tasks_(std::move(tasks)) {
        callbacks_.reserve(tasks_.size());
        ended_.reserve(tasks_.size());
    }

    std::vector<task_handle<T>> tasks_;
    std::vector<callback_handle> callbacks_;
    std::vector<std::size_t> ended_;
    event news_;
    std::size_t given_ = 0;
};

/// `auto done = as_completed(handles); while (auto one = co_await done.next()) ...`
template <class T>
completions<T> as_completed(std::vector<task_handle<T>> tasks) {
    return completions<T>(std::move(tasks));
}

}
