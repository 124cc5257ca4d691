// timer_heap.hpp - armed deadlines in exact order: a 4-ary heap whose nodes live in awaiters and know their place.
#pragma once

#include <corun/clock.hpp>
#include <corun/detail/entry.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace corun::detail {

/// A deadline's place in the heap. `due` joins the ready queue when the deadline has come.
struct timer_node {
    static constexpr std::uint32_t out = UINT32_MAX;

    timer_node() noexcept = default;
    explicit timer_node(entry& e) noexcept : due(&e) {}
    bool is_armed() const noexcept { return index != out; }

    entry* due = nullptr;
    std::uint64_t number = 0;   // creation order breaks ties of equal deadlines
    std::uint32_t index = out;
};

/// Deadlines by (deadline, creation number). Removal by node is O(log n).
class timer_heap {
public:
    bool empty() const noexcept { return slots_.empty(); }
    std::size_t size() const noexcept { return slots_.size(); }

    /// The earliest deadline; the heap must not be empty.
    time_point earliest() const noexcept { return slots_.front().deadline; }
    timer_node& first() noexcept { return *slots_.front().node; }

    /// Arms a node that is out. Throws std::bad_alloc and changes nothing.
    void insert(timer_node& node, time_point deadline) {
        if (slots_.size() + spare >= slots_.capacity())
            make_room();
        add(node, deadline);
    }

    /// The same, for at most `spare` nodes at a time, whatever else is armed: there is room for them.
    void insert_spare(timer_node& node, time_point deadline) noexcept { add(node, deadline); }

    /// Makes room for further nodes, and for the spare ones. Throws std::bad_alloc.
    void make_room();

    /// Takes an armed node out.
    void remove(timer_node& node) noexcept;

private:
    static constexpr std::size_t spare = 2;   // shut down bounds itself and the pool

    struct slot {
        time_point deadline;
        timer_node* node;
    };

    static bool before(const slot& a, const slot& b) noexcept {
        return a.deadline != b.deadline ? a.deadline < b.deadline : a.node->number < b.node->number;
    }
    void place(std::size_t i, slot s) noexcept {
        slots_[i] = s;
        s.node->index = static_cast<std::uint32_t>(i);
    }
    void add(timer_node& node, time_point deadline) noexcept;
    void shrink();
    void rise(std::size_t i, slot s) noexcept;
    void sink(std::size_t i, slot s) noexcept;

    std::vector<slot> slots_;
    std::uint64_t created_ = 0;
};

}
