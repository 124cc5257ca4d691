// kinds.hpp - how Windows performs each kind of operation.
#pragma once

#include "iocp_backend.hpp"

namespace corun::iocp {

constexpr iocp_backend::kind_ways iocp_backend::ways_for(operation_kind k) noexcept {
    using self = iocp_backend;
    switch (k) {
    case operation_kind::read: return {.attempt = &read, .begin = &begin_read};
    case operation_kind::write: return {.attempt = &write};
    case operation_kind::accept: return {.attempt = &accept, .begin = &begin_accept, .take = &self::take_accepted};
    case operation_kind::connect: return {.begin = &begin_connect, .take = &self::take_connected};   // nothing to try
    case operation_kind::poll: return {.attempt = &poll};
    case operation_kind::shutdown: return {.attempt = &shutdown};
    case operation_kind::close: return {};   // close()
    }
    return {};
}

inline const iocp_backend::kind_ways& iocp_backend::ways_of(const operation& o) noexcept {
    return kind_table<&iocp_backend::ways_for>::of(o.kind);
}

}
