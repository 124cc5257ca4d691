// task_batch.hpp - some of a loop's unfinished tasks in order of creation: what there is without memory for a list of all.
#pragma once

#include <corun/loop.hpp>
#include <corun/task_handle.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace corun::detail {

/// Filled again and again until it stays empty, it gives them all; each batch costs one walk over all tasks.
class task_batch {
public:
    /// Those with the lowest numbers above `id`, in order.
    void take_after(loop_core& l, std::uint64_t id) noexcept {
        take(l, [id](const task_state& t) { return t.id > id; }, [](const task_ref& a, const task_ref& b) { return a.id() < b.id(); });
    }

    /// Those with the highest numbers, the highest first.
    void take_last(loop_core& l) noexcept {
        take(l, [](const task_state&) { return true; }, [](const task_ref& a, const task_ref& b) { return a.id() > b.id(); });
    }

    bool empty() const noexcept { return size_ == 0; }
    const task_ref& back() const noexcept { return tasks_[size_ - 1]; }
    const task_ref* begin() const noexcept { return tasks_.data(); }
    const task_ref* end() const noexcept { return tasks_.data() + size_; }

private:
    static constexpr std::size_t room = 256;   // it lies on the stack

    template <class Wanted, class Before>
    void take(loop_core& l, Wanted wanted, Before before) noexcept {
        std::fill_n(tasks_.begin(), size_, task_ref());
        size_ = 0;
        // A heap, whose first is the last of those that were found.
        for_each_task(l, [&](task_state& t) {
            if (!wanted(t))
                return;
            const task_ref found(t);
            if (size_ == room) {
                if (!before(found, tasks_.front()))
                    return;
                std::pop_heap(begin_of(), end_of(), before);
                --size_;
            }
            tasks_[size_++] = found;
            std::push_heap(begin_of(), end_of(), before);
        });
        std::sort_heap(begin_of(), end_of(), before);
    }

    task_ref* begin_of() noexcept { return tasks_.data(); }
    task_ref* end_of() noexcept { return tasks_.data() + size_; }

    std::array<task_ref, room> tasks_;
    std::size_t size_ = 0;
};

}
