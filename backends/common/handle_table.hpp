// handle_table.hpp - the records behind a backend's handles. They are recycled and their memory is never given back: a late report of
// the kernel finds a record, never freed memory.
#pragma once

#include <corun/operation.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

namespace corun::common {

/// `Record` has `index`, `generation`, `next` and is_open(); a default-made one is free.
template <class Record>
class handle_table {
public:
    /// The open record that the handle names, or null.
    Record* find(handle h) noexcept {
        if (h.index / chunk_size >= chunks_.size())
            return nullptr;
        Record& r = at(h.index);
        return r.is_open() && r.generation == h.generation ? &r : nullptr;
    }

    /// The record of an index that was given out.
    Record& at(std::uint32_t index) noexcept { return chunks_[index / chunk_size][index % chunk_size]; }

    /// A free record; null without memory for it.
    Record* take() noexcept {
        if (!free_ && !grow())
            return nullptr;
        Record* const r = free_;
        free_ = r->next;
        r->next = nullptr;
        return r;
    }

    void give_back(Record& r) noexcept {
        const std::uint32_t index = r.index;
        const std::uint32_t generation = r.generation;
        r = Record();
        r.index = index;
        r.generation = generation;
        r.next = free_;
        free_ = &r;
    }

    template <class Function>
    void for_each(Function f) noexcept {
        for (const auto& chunk : chunks_)
            for (std::size_t i = 0; i < chunk_size; ++i)
                f(chunk[i]);
    }

    /// True if `is(record)` holds for an open one; looks through all of them.
    template <class Predicate>
    bool has_open(Predicate is) noexcept {
        for (const auto& chunk : chunks_)
            for (std::size_t i = 0; i < chunk_size; ++i)
                if (chunk[i].is_open() && is(chunk[i]))
                    return true;
        return false;
    }

private:
    static constexpr std::size_t chunk_size = 64;

    bool grow() noexcept {
        try {
            chunks_.push_back(std::make_unique<Record[]>(chunk_size));
        } catch (const std::bad_alloc&) {
            return false;
        }
        for (std::size_t i = chunk_size; i-- > 0;) {
            Record& r = chunks_.back()[i];
            r.index = static_cast<std::uint32_t>((chunks_.size() - 1) * chunk_size + i);
            r.next = free_;
            free_ = &r;
        }
        return true;
    }

    std::vector<std::unique_ptr<Record[]>> chunks_;
    Record* free_ = nullptr;
};

}
