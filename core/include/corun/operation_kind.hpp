// operation_kind.hpp - the kinds of operations: one table, which the core and every backend read. docs/adding-an-operation.md adds to it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace corun {

/// What an operation asks for. Numbered from 0, without gaps.
enum class operation_kind : std::uint8_t {
    read,       ///< bytes from a stream into the slices; a count of zero is the end
    write,      ///< bytes of the slices into a stream; may take only a part
    accept,     ///< the next connection of a listener
    connect,    ///< connects to an address
    poll,       ///< waits until one of several directions is ready
    shutdown,   ///< ends the sending side
    close,      ///< ends the handle as backend::close() does; finished once the descriptor is closed, with close's error
};

/// Directions of a handle, a bit mask.
namespace ready {
inline constexpr std::uint8_t readable = 1;
inline constexpr std::uint8_t writable = 2;
}

/// What a kind is asked of.
enum class kind_target : std::uint8_t {
    none,     ///< nothing that is open: the card's handle is not looked at
    handle,   ///< operation::target
};

/// Which member of the card holds the answer, beside the error.
enum class kind_answer : std::uint8_t {
    none,
    count,    ///< operation::count
    handle,   ///< operation::accepted
    ready,    ///< operation::found
};

/// What is known of a kind, whoever performs it.
struct kind_row {
    /// In `directions`: those of operation::wanted.
    static constexpr std::uint8_t as_wanted = 0xff;

    const char* name = nullptr;               ///< in task dumps and messages; null of what is no kind
    kind_target target = kind_target::none;   ///< what it is asked of
    kind_answer answer = kind_answer::none;   ///< where its answer lies
    std::uint8_t directions = 0;   ///< a `ready` mask: directions of the handle that no other operation may use meanwhile; or as_wanted
    bool zero_is_end = false;      ///< a count of zero is the end of what it reads
    bool ends_target = false;      ///< the handle is none from the submission on
};

namespace detail {

/// The table. A kind without a row is named by the compiler.
constexpr kind_row kind_row_for(operation_kind k) noexcept {
    constexpr auto handle = kind_target::handle;
    switch (k) {
    case operation_kind::read: return {"read", handle, kind_answer::count, ready::readable, true};
    case operation_kind::write: return {"write", handle, kind_answer::count, ready::writable};
    case operation_kind::accept: return {"accept", handle, kind_answer::handle, ready::readable};
    case operation_kind::connect: return {"connect", handle, kind_answer::none, ready::writable};
    case operation_kind::poll: return {"poll", handle, kind_answer::ready, kind_row::as_wanted};
    case operation_kind::shutdown: return {"shutdown", handle, kind_answer::none, ready::writable};   // it would cut a write off
    case operation_kind::close: return {"close", handle, kind_answer::none, 0, false, true};
    }
    return {};
}

constexpr std::size_t count_kinds() noexcept {
    std::size_t count = 0;
    while (kind_row_for(static_cast<operation_kind>(count)).name)
        ++count;
    return count;
}

}

/// How many kinds there are.
inline constexpr std::size_t kind_count = detail::count_kinds();

/// The rows that `row_for(kind)` gives, as a table: for what a backend has to know of kinds. `row_for` is a switch without a default, so
/// that the compiler names a kind that it lacks; what stands behind the switch is the row of what is no kind. Each value of the byte has a
/// place: a look-up is one load, whatever a card from another's hand says.
template <auto row_for>
class kind_table {
    using row = decltype(row_for(operation_kind()));

    template <std::size_t... each>
    static constexpr std::array<row, sizeof...(each)> lay_out(std::index_sequence<each...>) noexcept {
        return {row_for(static_cast<operation_kind>(each))...};
    }

    static constexpr auto rows = lay_out(std::make_index_sequence<256>());

public:
    static constexpr const row& of(operation_kind k) noexcept { return rows[static_cast<std::uint8_t>(k)]; }
};

/// The row of a kind; of what is no kind, one without a target.
constexpr const kind_row& row_of(operation_kind k) noexcept { return kind_table<&detail::kind_row_for>::of(k); }

static_assert(kind_count > static_cast<std::size_t>(operation_kind::close),
              "a kind goes last, without a value of its own, and no row before it lacks a name");

}
