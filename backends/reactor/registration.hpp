// registration.hpp - what a reactor knows about one descriptor.
#pragma once

#include "../posix/descriptor_type.hpp"

#include <corun/operation.hpp>

#include <cstdint>
#include <utility>

namespace corun {

struct registration {
    // What the poller reports, what is wanted, what is believed.
    static constexpr std::uint8_t readable = 1;
    static constexpr std::uint8_t writable = 2;
    static constexpr std::uint8_t unusual = 4;   // hang-up, error or urgent data: sticky, ends the short-read rule

    bool is_open() const noexcept { return fd >= 0; }

    /// The directions somebody waits for.
    std::uint8_t wanted() const noexcept { return static_cast<std::uint8_t>((reader ? readable : 0) | (writer ? writable : 0)); }
    bool are_taken(std::uint8_t directions) const noexcept { return (wanted() & directions) != 0; }

    int fd = -1;
    std::uint32_t index = 0;
    std::uint32_t generation = 0;
    std::int32_t lost = 0;   // the error with which the connection ended: each later read answers it
    operation* reader = nullptr;
    operation* writer = nullptr;
    registration* next = nullptr;   // in the free list, or in a ready_list
    std::uint8_t ready = 0;         // directions that may be ready: a try that would block clears its own
    std::uint8_t reported = 0;      // the poller's news, until the reactor has taken it
    bool attached = false;          // the poller knows the descriptor
    posix::descriptor_type type = posix::descriptor_type::other;
    bool asks_first = false;   // an adopted listener that blocks
};

/// Registrations with news, each once; filled by the poller.
class ready_list {
public:
    bool empty() const noexcept { return first_ == nullptr; }

    /// Adds `news` to the registration's, which is not closed before the list is used up.
    void add(registration& r, std::uint8_t news) noexcept {
        if (r.reported == 0) {
            r.next = nullptr;
            (last_ ? last_->next : first_) = &r;
            last_ = &r;
        }
        r.reported = static_cast<std::uint8_t>(r.reported | news);
    }

    /// Moves all of `other`, which has none of these, behind what is here.
    void splice_back(ready_list& other) noexcept {
        if (other.empty())
            return;
        (last_ ? last_->next : first_) = other.first_;
        last_ = other.last_;
        other.first_ = other.last_ = nullptr;
    }

    /// Forgets the news of a registration that is being closed. Looks through the list if there are any.
    void remove(registration& r) noexcept {
        if (r.reported == 0)
            return;
        registration* before = nullptr;
        for (registration* at = first_; at; before = std::exchange(at, at->next)) {
            if (at != &r)
                continue;
            (before ? before->next : first_) = r.next;
            if (last_ == &r)
                last_ = before;
            break;
        }
        r.reported = 0;
    }

    registration* pop_front() noexcept {
        registration* const r = first_;
        if (r) {
            first_ = r->next;
            if (!first_)
                last_ = nullptr;
        }
        return r;
    }

private:
    registration* first_ = nullptr;
    registration* last_ = nullptr;
};

}
