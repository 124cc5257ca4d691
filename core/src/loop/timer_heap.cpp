// timer_heap.cpp - how a timer finds its place in the heap, and leaves it.
#include <corun/detail/timer_heap.hpp>

#include <algorithm>

namespace corun::detail {

void timer_heap::make_room() { slots_.reserve(std::max<std::size_t>(16, 2 * slots_.capacity())); }

void timer_heap::shrink() {
    std::vector<slot> smaller;
    smaller.reserve(2 * slots_.size() + spare);
    smaller.assign(slots_.begin(), slots_.end());
    slots_.swap(smaller);
}

void timer_heap::add(timer_node& node, time_point deadline) noexcept {
    const slot s{deadline, &node};
    slots_.push_back(s);
    node.number = created_++;
    rise(slots_.size() - 1, s);
}

void timer_heap::remove(timer_node& node) noexcept {
    const std::size_t i = node.index;
    node.index = timer_node::out;
    const slot last = slots_.back();
    slots_.pop_back();
    if (i < slots_.size()) {
        if (i > 0 && before(last, slots_[(i - 1) / 4]))
            rise(i, last);
        else
            sink(i, last);
    }
    // A burst of timers must not hold its memory for ever.
    if (slots_.capacity() > 1024 && slots_.size() < slots_.capacity() / 8) {
        try {
            shrink();
        } catch (...) {
            // Keeping the memory is no error.
        }
    }
}

void timer_heap::rise(std::size_t i, slot s) noexcept {
    while (i > 0) {
        const std::size_t parent = (i - 1) / 4;
        if (!before(s, slots_[parent]))
            break;
        place(i, slots_[parent]);
        i = parent;
    }
    place(i, s);
}

void timer_heap::sink(std::size_t i, slot s) noexcept {
    for (;;) {
        const std::size_t first = 4 * i + 1;
        if (first >= slots_.size())
            break;
        std::size_t least = first;
        for (std::size_t child = first + 1; child < std::min(first + 4, slots_.size()); ++child)
            if (before(slots_[child], slots_[least]))
                least = child;
        if (!before(slots_[least], s))
            break;
        place(i, slots_[least]);
        i = least;
    }
    place(i, s);
}

}
