// stream_requests.hpp - reads and writes of streams: small values that may be passed on; nothing starts before the await.
#pragma once

#include <corun/buffer.hpp>
#include <corun/detail/io_object.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace corun::detail {

/// Several buffers are handed to the backend where they lie, so a span has to be laid out as the seam's slice; a unit test
/// holds every standard library to it.
static_assert(sizeof(bytes) == sizeof(io_slice) && alignof(bytes) == alignof(io_slice));
static_assert(sizeof(const_bytes) == sizeof(io_slice) && alignof(const_bytes) == alignof(io_slice));

/// What a read or a write moves: one buffer, or the caller's list of them.
struct transfer_slices {
    explicit transfer_slices(bytes b) noexcept : one{b.data(), b.size()} {}
    explicit transfer_slices(const_bytes b) noexcept : one{const_cast<std::byte*>(b.data()), b.size()} {}

    /// Empty ones at the front would look like the end of the stream.
    template <class Span>
    explicit transfer_slices(std::span<const Span> list) noexcept {
        while (!list.empty() && list.front().empty())
            list = list.subspan(1);
        many = reinterpret_cast<const io_slice*>(list.data());
        count = static_cast<std::uint32_t>(std::min<std::size_t>(list.size(), UINT32_MAX));
        is_list = true;
    }

    bool empty() const noexcept { return is_list ? count == 0 : one.size == 0; }

    io_slice one;
    const io_slice* many = nullptr;
    std::uint32_t count = 1;
    bool is_list = false;
};

/// Gives the number of bytes moved.
class transfer_awaiter final : public io_awaiter<transfer_awaiter, std::size_t> {
public:
    transfer_awaiter(operation_kind k, handle h, const transfer_slices& s) noexcept : io_awaiter(k, h) {
        slice = s.one;
        if (s.is_list)
            slices = s.many;
        slice_count = s.empty() ? 0 : s.count;
    }
    submitted start(loop_core& core) noexcept {
        if (slice_count == 0 && target) {   // answers zero without the kernel (8.2)
            finish(0);
            return submitted::finished;
        }
        return core.engine->submit(*this);
    }
    std::size_t value() const noexcept { return count; }
};

class [[nodiscard("nothing is read or written until it is awaited")]] transfer_request {
public:
    transfer_request(operation_kind k, io_target t, transfer_slices s) noexcept : kind_(k), target_(t), slices_(s) {}
    transfer_awaiter operator co_await() && { return transfer_awaiter(kind_, target_.checked(), slices_); }

private:
    operation_kind kind_;
    io_target target_;
    transfer_slices slices_;
};

/// Operations without a value: readiness, the end of the sending side.
class plain_awaiter final : public io_awaiter<plain_awaiter, void> {
public:
    plain_awaiter(operation_kind k, handle h, std::int32_t wanted) noexcept : io_awaiter(k, h) { operation::value = wanted; }
    submitted start(loop_core& core) noexcept { return core.engine->submit(*this); }
    void value() const noexcept {}
};

class [[nodiscard("nothing happens until it is awaited")]] plain_request {
public:
    plain_request(operation_kind k, io_target t, std::int32_t wanted = 0) noexcept : kind_(k), wanted_(wanted), target_(t) {}
    plain_awaiter operator co_await() && { return plain_awaiter(kind_, target_.checked(), wanted_); }

private:
    operation_kind kind_;
    std::int32_t wanted_;
    io_target target_;
};

}
