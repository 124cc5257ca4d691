// io_uring.hpp - the io_uring backend: a completion engine.
#pragma once

#include <corun/backend.hpp>

#include <cstdint>
#include <memory>

namespace corun {

/// Sizes of the ring, and less of what newer kernels offer: for tests, and for measuring.
struct io_uring_options {
    io_uring_options() noexcept {}
    io_uring_options(std::uint32_t requests_at_once, std::uint32_t answers_at_once, bool only_basic = false) noexcept
        : submissions(requests_at_once), completions(answers_at_once), basic(only_basic) {}

    std::uint32_t submissions = 256;    ///< requests that fit into the ring until the kernel takes them; more wait their turn
    std::uint32_t completions = 2048;   ///< answers that fit, no fewer than requests; the kernel keeps those beyond
    /// Not 0: the kernel hands over connections before anybody asks for them (a multishot accept), which saves a server of short
    /// connections a request for each. It is told to stop when so many of a listener wait; the listener's whole queue may come until then.
    /// Until they are accepted they have descriptors of this process, and their clients are not held back. On older kernels than 5.19, and
    /// for an adopted listener that blocks, it has no effect.
    std::uint32_t accepts_ahead = 0;
    /// Not 0: the kernel hands over a stream's bytes before anybody asks for them (a multishot receive into a MiB of buffers that the
    /// backend has for it), which saves a request for each read that would wait. It is told to stop when so many bytes of a stream are
    /// there; what it has in its own queue may come until then, up to 128 KiB. Its window no longer tells the peer that nobody reads before
    /// that. On older kernels than 6.0, and for adopted streams, it has no effect. A stream's duplicates can't read what came ahead.
    std::uint32_t receives_ahead = 0;
    bool basic = false;   ///< only what Linux 5.15 has
};

/// A backend on Linux's io_uring (5.15 or later). Throws backend_unavailable where the kernel or a filter refuses io_uring, and another
/// std::system_error when the system is out of descriptors or memory.
std::unique_ptr<backend> make_io_uring();
std::unique_ptr<backend> make_io_uring(const io_uring_options&);

}
