// buffer_pool.hpp - memory that the kernel chooses from when bytes come (provided buffers); one for each backend.
#pragma once

#include <corun/operation.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include <liburing.h>

namespace corun::uring {

/// Bytes in buffers of a pool, first come first out.
struct buffer_queue {
    bool is_empty() const noexcept { return size == 0; }

    std::size_t size = 0;      ///< bytes
    std::uint16_t first = 0;   ///< valid unless empty
    std::uint16_t last = 0;
    std::uint32_t taken = 0;   ///< bytes of the first one
};

class buffer_pool {
public:
    static constexpr unsigned count = 256;   // a power of two
    static constexpr std::size_t size_of_each = 4096;
    static constexpr std::uint16_t group = 0;

    /// Gets the memory and lets `ring` choose from it; false if that can't be had. The ring goes before the pool does.
    bool lend_to(::io_uring& ring) noexcept;

    bool is_lent() const noexcept { return ring_ != nullptr; }

    /// The kernel has filled a buffer.
    void add(buffer_queue&, std::uint16_t buffer, std::size_t size) noexcept;

    /// The kernel's again.
    void give_back(std::uint16_t buffer) noexcept;

    /// Copies as much as there is and as fits; says how much.
    std::size_t copy(buffer_queue&, const io_slice* to, std::size_t slice_count) noexcept;

    /// Forgets the bytes.
    void drop(buffer_queue&) noexcept;

private:
    struct freer {
        void operator()(std::byte* p) const noexcept { std::free(p); }
    };

    std::byte* at(std::uint16_t buffer) noexcept { return memory_.get() + std::size_t{buffer} * size_of_each; }
    void leave_first(buffer_queue&) noexcept;

    std::unique_ptr<std::byte, freer> memory_;   // the buffers, then the ring of those that are free
    io_uring_buf_ring* ring_ = nullptr;
    std::array<std::uint16_t, count> next_{};
    std::array<std::uint32_t, count> sizes_{};
};

}
