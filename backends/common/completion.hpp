// completion.hpp - what completion engines share: which operations a handle's two directions have, and memory that requests need besides.
#pragma once

#include <corun/operation.hpp>

#include <cstdint>
#include <new>

namespace corun::common {

/// The two directions of a handle, the base of an engine's record. An operation has one of them or both; then the reader's slot acts for
/// it. A Slot has `o`, the operation that has it, and clear().
template <class Slot>
struct direction_slots {
    bool are_free() const noexcept { return !reader.o && !writer.o; }

    /// True if another operation has one of these directions.
    bool are_taken(std::uint8_t directions) const noexcept {
        return ((directions & ready::readable) && reader.o) || ((directions & ready::writable) && writer.o);
    }

    /// The slot that acts for the operation.
    Slot& slot_of(const operation& o) noexcept { return reader.o == &o ? reader : writer; }

    /// Gives the operation these directions, which are free, and gives the slot that acts for it.
    Slot& occupy(operation& o, std::uint8_t directions) noexcept {
        Slot& acting = directions & ready::readable ? reader : writer;
        acting.clear();
        acting.o = &o;
        if (directions & ready::writable)
            writer.o = &o;
        return acting;
    }

    /// The operation has them no more.
    void vacate(const operation& o) noexcept {
        for (Slot* const each : {&reader, &writer})
            if (each->o == &o)
                each->clear();
    }

    Slot reader;
    Slot writer;
};

/// Memory that some requests need besides their operation; what is given back is kept for the next one. An Extra has `next`.
template <class Extra>
class extra_pool {
public:
    extra_pool() = default;
    extra_pool(const extra_pool&) = delete;
    ~extra_pool() {
        while (Extra* const e = free_) {
            free_ = e->next;
            delete e;
        }
    }

    /// Null without memory.
    Extra* take() noexcept {
        Extra* const e = free_;
        if (!e)
            return new (std::nothrow) Extra;
        free_ = e->next;
        return e;
    }

    void give_back(Extra& e) noexcept {
        e.next = free_;
        free_ = &e;
    }

private:
    Extra* free_ = nullptr;
};

}
