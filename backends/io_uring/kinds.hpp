// kinds.hpp - io_uring's row for each kind of operation.
#pragma once

#include "../posix/operations.hpp"
#include "io_uring_backend.hpp"
#include "request.hpp"

namespace corun::uring {

constexpr io_uring_backend::kind_ways io_uring_backend::ways_for(operation_kind k) noexcept {
    using self = io_uring_backend;
    switch (k) {
    case operation_kind::read: return {.ask = &write_read, .take = &self::take_received, .ahead = &self::read_from_ahead};
    case operation_kind::write: return {.ask = &write_write, .goes_with_others = true};
    case operation_kind::accept:
        return {.ask = &write_accept,
                .take = &self::take_accepted,
                .ahead = &self::accept_from_ahead,
                .is_spurious = &posix::is_of_the_connection};
    case operation_kind::connect: return {};
    case operation_kind::poll: return {.ahead = &self::poll_from_ahead};
    case operation_kind::shutdown: return {};
    case operation_kind::close: return {};   // submit_close()
    }
    return {};
}

inline const io_uring_backend::kind_ways& io_uring_backend::ways_of(const operation& o) noexcept {
    return kind_table<&io_uring_backend::ways_for>::of(o.kind);
}

}
