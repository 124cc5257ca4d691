// listener.hpp - a socket that others connect to.
#pragma once

#include "network.hpp"
#include "socket.hpp"

#include <cstddef>
#include <deque>

namespace corun::sim {

class listener final : public socket {
public:
    /// A backlog of 0 is as large as the link has it.
    listener(const socket& before, network&, int backlog) noexcept;

    bool accept(operation&) override;
    void close() override;
    listener* as_listener() noexcept override { return this; }

    bool is_full() const noexcept { return backlog_.size() >= most_waiting_; }

    /// A connection to `to` that has not been accepted; its handle.
    handle add_connection(handle client, const address& to, const address& from);

    /// A socket for whose connect the backlog has no room: it is tried again when there is.
    void let_wait(handle client) { waiting_.push_back(client); }
    void let_go(handle client) noexcept { std::erase(waiting_, client); }

protected:
    bool is_readable() const noexcept override { return !backlog_.empty(); }

private:
    network& net_;
    std::size_t most_waiting_;
    std::deque<handle> backlog_;   // streams
    std::deque<handle> waiting_;   // sockets whose connect waits for room
};

}
