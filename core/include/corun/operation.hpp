// operation.hpp - one request to a backend and its answer: the card that crosses the seam.
//
// A card lives in an awaiter, which lives in a coroutine frame. Nothing is allocated for it.
#pragma once

#include <corun/errors.hpp>
#include <corun/waiter.hpp>

#include <cstddef>
#include <cstdint>
#include <system_error>

namespace corun {

/// What an operation asks for.
enum class operation_kind : std::uint8_t {
    read,       ///< bytes from a stream into the slices; a count of zero is the end
    write,      ///< bytes of the slices into a stream; may take only a part
    accept,     ///< the next connection of a listener; `argument` is null or an address* for the peer's
    connect,    ///< connects to the address that `argument` (const address*) points to
    poll,       ///< waits until a direction of `value` (a `ready` mask) is ready; answers the mask in `value`
    shutdown,   ///< ends the sending side
};

/// Where an operation stands. Asserted at every step: a finished one is never cancelled.
enum class operation_state : std::uint8_t { idle, pending, finished };

/// Directions of operation_kind::poll, a bit mask in operation::value.
namespace ready {
inline constexpr int readable = 1;
inline constexpr int writable = 2;
}

/// One contiguous piece of memory that an operation reads into or writes from.
struct io_slice {
    void* data = nullptr;
    std::size_t size = 0;   ///< in bytes
};

/// Names an open socket or descriptor of one backend. A stale one is noticed by its generation.
struct handle {
    std::uint32_t index = UINT32_MAX;
    std::uint32_t generation = 0;

    explicit operator bool() const noexcept { return index != UINT32_MAX; }
    bool operator==(const handle&) const noexcept = default;
};

/// One request to a backend, and its answer.
struct operation : waiter {
    operation(operation_kind k, handle h) noexcept : kind(k), target(h) {}

    operation_kind kind;
    operation_state state = operation_state::idle;
    bool truncated = false;            ///< answer: a datagram was larger than the buffer
    std::int32_t error = 0;            ///< answer: a code of native_category(), 0 for success
    handle target;                     ///< request
    io_slice slice;                    ///< request: one buffer, inside the operation
    const io_slice* slices = &slice;   ///< request: or many, the caller's
    std::uint32_t slice_count = 1;     ///< request
    std::int32_t value = 0;            ///< request and answer: the kind's own small number
    void* argument = nullptr;          ///< request: the kind's own pointer
    union {
        std::size_t count = 0;   ///< answer of transfers: bytes moved
        handle accepted;         ///< answer of accept
    };
    operation* next = nullptr;   ///< the backend's list of finished operations

    /// Writes the answer of a transfer, or an error (a native code, 0 for success).
    void finish(std::int32_t native_error, std::size_t transferred = 0) noexcept {
        error = native_error;
        count = transferred;
        state = operation_state::finished;
    }

    /// The answer's error as users see it; compares with std::errc, keeps the native code.
    std::error_code error_code() const noexcept { return error == 0 ? std::error_code() : std::error_code(error, native_category()); }
};

static_assert(sizeof(operation) <= 104, "each read site of a coroutine holds an operation: keep it small");

/// Finished operations in the order in which they finished; linked through operation::next.
class operation_list {
public:
    bool empty() const noexcept { return first_ == nullptr; }

    void push_back(operation& o) noexcept {
        o.next = nullptr;
        (last_ ? last_->next : first_) = &o;
        last_ = &o;
    }

    operation* pop_front() noexcept {
        operation* const o = first_;
        if (o) {
            first_ = o->next;
            if (!first_)
                last_ = nullptr;
        }
        return o;
    }

    /// Moves all of `other` behind what is here.
    void splice_back(operation_list& other) noexcept {
        if (other.empty())
            return;
        (last_ ? last_->next : first_) = other.first_;
        last_ = other.last_;
        other.first_ = other.last_ = nullptr;
    }

private:
    operation* first_ = nullptr;
    operation* last_ = nullptr;
};

}
