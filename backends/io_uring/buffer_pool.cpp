// buffer_pool.cpp - see buffer_pool.hpp.
#include "buffer_pool.hpp"

#include <algorithm>
#include <cstring>

namespace corun::uring {

bool buffer_pool::lend_to(::io_uring& ring) noexcept {
    constexpr std::size_t page = 4096;
    constexpr std::size_t buffers = count * size_of_each;
    memory_.reset(static_cast<std::byte*>(std::aligned_alloc(page, buffers + count * sizeof(io_uring_buf))));
    if (!memory_)
        return false;
    auto* const free_ones = reinterpret_cast<io_uring_buf_ring*>(memory_.get() + buffers);
    io_uring_buf_reg request{};
    request.ring_addr = reinterpret_cast<std::uintptr_t>(free_ones);
    request.ring_entries = count;
    request.bgid = group;
    if (::io_uring_register_buf_ring(&ring, &request, 0) != 0) {
        memory_.reset();
        return false;
    }
    ::io_uring_buf_ring_init(free_ones);
    ring_ = free_ones;
    for (unsigned i = 0; i < count; ++i)
        give_back(static_cast<std::uint16_t>(i));
    return true;
}

void buffer_pool::add(buffer_queue& q, std::uint16_t buffer, std::size_t size) noexcept {
    sizes_[buffer] = static_cast<std::uint32_t>(size);
    if (q.is_empty())
        q.first = buffer;
    else
        next_[q.last] = buffer;
    q.last = buffer;
    q.size += size;
}

void buffer_pool::give_back(std::uint16_t buffer) noexcept {
    ::io_uring_buf_ring_add(ring_, at(buffer), size_of_each, buffer, ::io_uring_buf_ring_mask(count), 0);
    ::io_uring_buf_ring_advance(ring_, 1);
}

void buffer_pool::leave_first(buffer_queue& q) noexcept {
    const std::uint16_t done = q.first;
    q.first = next_[done];   // not looked at if it was the last
    q.taken = 0;
    give_back(done);
}

std::size_t buffer_pool::copy(buffer_queue& q, const io_slice* to, std::size_t slice_count) noexcept {
    std::size_t copied = 0;
    for (std::size_t i = 0; i < slice_count; ++i) {
        auto* place = static_cast<std::byte*>(to[i].data);
        std::size_t room = to[i].size;
        while (room > 0 && !q.is_empty()) {
            const std::size_t piece = std::min<std::size_t>(room, sizes_[q.first] - q.taken);
            std::memcpy(place, at(q.first) + q.taken, piece);
            place += piece;
            room -= piece;
            copied += piece;
            q.size -= piece;
            q.taken += static_cast<std::uint32_t>(piece);
            if (q.taken == sizes_[q.first])
                leave_first(q);
        }
    }
    return copied;
}

void buffer_pool::drop(buffer_queue& q) noexcept {
    while (!q.is_empty()) {
        q.size -= sizes_[q.first] - q.taken;
        leave_first(q);
    }
}

}
