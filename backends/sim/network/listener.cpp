// listener.cpp - see listener.hpp.
#include "listener.hpp"

#include "loopback.hpp"
#include "stream.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

namespace corun::sim {

listener::listener(const socket& before, network& n, int backlog) noexcept : socket(before), net_(n) {
    port = local.port();
    const std::size_t most = backlog > 0 ? static_cast<std::size_t>(backlog) : SIZE_MAX;
    most_waiting_ = std::max<std::size_t>(1, std::min(most, link().backlog));
}

bool listener::accept(operation& o) {
    // As the kernel does: before it looks whether somebody is there.
    if (engine_.names.open_count() - backlog_.size() >= engine_.options.descriptors)
        return answer(o, std::errc::too_many_files_open);
    if (backlog_.empty())
        return false;
    const handle taken = backlog_.front();
    backlog_.pop_front();
    o.finish(0);
    o.accepted = taken;
    if (o.peer)
        *o.peer = static_cast<const stream*>(engine_.names.find(taken))->remote();
    if (!waiting_.empty()) {
        const handle client = waiting_.front();
        waiting_.pop_front();
        engine_.names.retry(client);
    }
    return true;
}

handle listener::add_connection(handle client, const address& to, const address& from) {
    auto made = std::make_unique<stream>(engine_, net_.wires, port, is_dual() ? as_ipv6(to) : to, is_dual() ? as_ipv6(from) : from);
    made->option(socket_option::nodelay) = option(socket_option::nodelay);
    made->peer = client;
    const handle h = engine_.names.add(std::move(made));
    backlog_.push_back(h);
    return h;
}

void listener::close() {
    net_.bound.remove(*this);
    for (const handle unaccepted : backlog_) {
        static_cast<stream*>(engine_.names.find(unaccepted))->option(socket_option::linger_zero) = 1;
        (void)engine_.names.close(unaccepted);
    }
    for (const handle client : waiting_)
        engine_.names.retry(client);
}

}
