// usable_news.hpp - whether a guest's handle tells a host anything.
#pragma once

#include <corun/guest.hpp>

#include <cstdint>

namespace corun {

/// What a host watches descriptors with.
enum class watched_by : std::uint8_t {
    poll,     ///< poll(2)
    poller,   ///< epoll, or kqueue, as Asio's and libuv's loops do
    none,     ///< it can't: a thread waits for the handle
};

/// The guest's news(), or `helper_thread` where its handle does not become readable for such a host within 100 ms of a wake-up: systems
/// take a poller inside another one and then may tell nothing (kqueue, emulated kernels). Asked once, before attach(); the guest's thread.
/// Throws std::system_error if there is no descriptor for the question, usage_error(errc::wrong_thread) on another thread.
guest_news usable_news(guest& g, watched_by how);

}
