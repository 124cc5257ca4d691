// asio_host.hpp - a guest on a program's own asio::io_context.
#pragma once

#include <corun/guest.hpp>

#include <asio/io_context.hpp>

#include <memory>

namespace corun {

/// Hosts a guest on an io_context that one thread runs: the guest's. Its handlers and the guest's tasks share that thread. Until the
/// guest's run is over it counts as work, so that run() does not return.
class asio_host {
public:
    /// Attaches; the guest must outlive this. Throws std::system_error, usage_error if the guest has a host.
    asio_host(asio::io_context& context, guest& g, dispatch_budget budget = {});
    asio_host(const asio_host&) = delete;

    /// Detaches; the io_context may be gone already. A guest whose run is not over needs another host, or request_stop() and drain().
    ~asio_host();

    /// False: the guest does not count as work from now on, and what it waits for neither: run() returns when nothing else is left, though
    /// the guest's run is not over, and goes on with it when it is called again. The context's thread.
    void keeps_alive(bool keeps) noexcept;

private:
    struct state;
    class registry;

    std::shared_ptr<state> state_;
};

}
