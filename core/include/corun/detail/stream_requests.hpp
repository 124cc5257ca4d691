// stream_requests.hpp - what is asked of streams: reads and writes, readiness, the end of the sending side.
#pragma once

#include <corun/buffer.hpp>
#include <corun/detail/io_request.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace corun::detail {

/// Several buffers are handed to the backend where they lie, so a span has to be laid out as the seam's slice; a unit test
/// holds every standard library to it.
static_assert(sizeof(bytes) == sizeof(io_slice) && alignof(bytes) == alignof(io_slice));
static_assert(sizeof(const_bytes) == sizeof(io_slice) && alignof(const_bytes) == alignof(io_slice));

/// A read or a write of one buffer, or of the caller's list of them; gives the number of bytes moved.
struct transfer_kind {
    using value_type = std::size_t;

    transfer_kind(operation_kind k, bytes b) noexcept : kind(k), one{b.data(), b.size()} {}
    transfer_kind(operation_kind k, const_bytes b) noexcept : kind(k), one{const_cast<std::byte*>(b.data()), b.size()} {}

    /// Empty ones at the front would look like the end of the stream.
    template <class Span>
    transfer_kind(operation_kind k, std::span<const Span> list) noexcept : kind(k), is_list(true) {
        while (!list.empty() && list.front().empty())
            list = list.subspan(1);
        many = reinterpret_cast<const io_slice*>(list.data());
        count = static_cast<std::uint32_t>(std::min<std::size_t>(list.size(), UINT32_MAX));
    }

    void fill(operation& o) const noexcept {
        o.slice = one;
        if (is_list)
            o.slices = many;
        const bool is_empty = is_list ? count == 0 : one.size == 0;
        o.slice_count = is_empty ? 0 : count;
    }

    /// One of nothing gives zero without the kernel (8.2).
    static bool is_answered(operation& o) noexcept {
        if (o.slice_count != 0 || !o.target)
            return false;
        o.finish(0);
        return true;
    }

    static std::size_t take(const operation& o) noexcept { return o.count; }

    operation_kind kind;
    bool is_list = false;
    std::uint32_t count = 1;
    io_slice one;
    const io_slice* many = nullptr;
};

/// Waits for one of several directions.
struct poll_kind {
    using value_type = void;
    static constexpr operation_kind kind = operation_kind::poll;

    void fill(operation& o) const noexcept { o.wanted = directions; }
    static void take(const operation&) noexcept {}

    std::uint8_t directions;   ///< a `ready` mask
};

/// Ends the sending side.
struct shutdown_kind {
    using value_type = void;
    static constexpr operation_kind kind = operation_kind::shutdown;

    void fill(operation&) const noexcept {}
    static void take(const operation&) noexcept {}
};

using transfer_request = io_request<transfer_kind>;
using transfer_awaiter = kind_awaiter<transfer_kind>;

}
