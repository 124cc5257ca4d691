// as_completed.hpp - tasks in the order in which they end.
#pragma once

#include <corun/queue.hpp>
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
    explicit completions(std::vector<task_handle<T>> tasks) : tasks_(std::move(tasks)) {
        callbacks_.reserve(tasks_.size());
        for (std::size_t i = 0; i < tasks_.size(); ++i)
            callbacks_.push_back(tasks_[i].on_done([this, i] { (void)ended_.try_put(i); }));
    }
    completions(const completions&) = delete;
    ~completions() {
        for (callback_handle& c : callbacks_)
            c.cancel();
    }

    /// Waits until the next one has ended and gives its handle; nullopt when all have been given. A request ends the wait with `cancelled`,
    /// and no task is lost.
    task<std::optional<task_handle<T>>> next() {
        if (given_ == tasks_.size())
            co_return std::nullopt;
        const std::size_t which = co_await ended_.get();
        ++given_;
        co_return std::move(tasks_[which]);
    }

private:
    std::vector<task_handle<T>> tasks_;
    std::vector<callback_handle> callbacks_;
    queue<std::size_t> ended_;
    std::size_t given_ = 0;
};

/// `auto done = as_completed(handles); while (auto one = co_await done.next()) ...`
template <class T>
completions<T> as_completed(std::vector<task_handle<T>> tasks) {
    return completions<T>(std::move(tasks));
}

}
