// operation.hpp - one request to a backend and its answer: the card that crosses the seam.
//
// A card lives in an awaiter, which lives in a coroutine frame. Nothing is allocated for it.
#pragma once

#include <corun/errors.hpp>
#include <corun/operation_kind.hpp>
#include <corun/waiter.hpp>

#include <cstddef>
#include <cstdint>
#include <system_error>

namespace corun {

class address;

namespace detail {
struct entry;
struct pool_job;
}

/// Where an operation stands.
enum class operation_state : std::uint8_t {
    idle,
    pending,   ///< the backend's
    on_pool,   ///< answered `blocking`: the core's, which never hands it to backend::cancel()
    finished,
};

/// One contiguous piece of memory that an operation reads into or writes from.
struct io_slice {
    void* data = nullptr;
    std::size_t size = 0;   ///< in bytes
};

/// Names an open socket or descriptor of one backend. A stale one is noticed by its generation.
struct handle {
    std::uint32_t index = UINT32_MAX;
    std::uint32_t generation = 0;

    /// False for a default-made one, which names nothing.
    explicit operator bool() const noexcept { return index != UINT32_MAX; }
    bool operator==(const handle&) const noexcept = default;
};

/// One request to a backend, and its answer.
struct operation : waiter {
    operation(operation_kind k, handle h) noexcept : kind(k), target(h) {}

    /// The error of a second reader or writer; no code of a system, as files and devices may be busy on their own account.
    static constexpr std::int32_t busy = -1;

    operation_kind kind;
    operation_state state = operation_state::idle;
    bool truncated = false;            ///< answer: a datagram was larger than the buffer
    std::int32_t error = 0;            ///< answer: a code of native_category(), 0 for success, or `busy`
    handle target;                     ///< request; none for kinds without one
    io_slice slice;                    ///< request: one buffer, inside the operation
    const io_slice* slices = &slice;   ///< request: or many, the caller's
    union {                            // request: the kind's own
        address* peer = nullptr;       ///< of accept: where the peer's address is written, or null
        const address* to;             ///< of connect
        std::uint8_t wanted;           ///< of poll: a `ready` mask
    };
    union {                      // answer: the member that kind_row::answer names
        std::size_t count = 0;   ///< bytes moved
        handle accepted;         ///< what the operation has opened
        std::uint8_t found;      ///< the directions that are ready, a `ready` mask
        std::intptr_t native;    ///< a descriptor between submit() and the answer: for perform(), or one that has no handle yet
    };
    union {
        operation* next = nullptr;   ///< the backend's list of finished operations
        detail::pool_job* job;       ///< the core's, of one on the pool
    };
    detail::entry* to_schedule = nullptr;   ///< the core's: what becomes ready with the answer, a task or another entry
    std::uint32_t slice_count = 1;          ///< request
    bool begun = false;                     ///< the backend's: the system has been asked, what is left is to look

    /// Writes the answer of a transfer, or an error (a native code, 0 for success). For backend::perform(): on a
    /// pool's thread the state is not its to write.
    void answer_with(std::int32_t native_error, std::size_t transferred = 0) noexcept {
        error = native_error;
        count = transferred;
    }

    /// The same, and the operation is finished.
    void finish(std::int32_t native_error, std::size_t transferred = 0) noexcept {
        answer_with(native_error, transferred);
        state = operation_state::finished;
    }

    /// The answer's error as users see it; compares with std::errc, keeps the native code.
    std::error_code error_code() const noexcept { return error == 0 ? std::error_code() : std::error_code(error, native_category()); }

protected:
    ~operation() = default;
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
