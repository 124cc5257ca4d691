// network.hpp - TCP in memory: sockets, listeners, connections, and the operations that wait for them.
#pragma once

#include <corun/backend.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace corun::sim {

/// One socket. Its number is its place in the network's table; a closed one's generation has moved on.
struct endpoint {
    enum class role : std::uint8_t { closed, fresh, listener, stream };

    role is = role::closed;
    std::uint32_t generation = 0;
    address local;
    address remote;
    handle peer;                       // of a stream; names nobody once the peer has closed
    std::deque<std::byte> arrived;     // what the peer sent and nobody read
    std::deque<handle> backlog;        // of a listener: connections that nobody accepted
    std::deque<operation*> knocking;   // of a listener: connects for which the backlog has no room
    std::size_t most_waiting = 0;      // of a listener
    operation* reader = nullptr;
    operation* writer = nullptr;
    bool ended = false;           // the peer sends nothing more
    bool sends_no_more = false;   // shutdown
    bool was_reset = false;
    bool reset_told = false;   // the reset has been an answer
    int options[8] = {};
};

class network {
public:
    network();

    submitted submit(operation&);
    void cancel(operation&) noexcept;
    handle open(socket_type);
    std::error_code control(handle, control_request&);
    std::error_code close(handle) noexcept;

    /// What finished outside submit().
    operation_list finished;

private:
    endpoint* find(handle) noexcept;
    handle new_endpoint();
    bool attempt(endpoint&, handle, operation&);   // true: answered
    bool receive(endpoint&, operation&) noexcept;
    bool send(endpoint&, operation&);
    bool take_connection(endpoint&, operation&) noexcept;
    bool connect(endpoint&, handle, operation&);
    bool answer_poll(endpoint&, operation&) noexcept;
    bool shut_down(endpoint&, operation&) noexcept;
    bool can_send(const endpoint&) noexcept;
    endpoint* listener_at(const address&) noexcept;
    bool is_taken(const address&) noexcept;
    bool join(endpoint& client, handle at_client, endpoint& listener);
    void retry(handle) noexcept;
    void leave(endpoint&, operation&) noexcept;
    std::error_code bind(endpoint&, const address&);
    std::error_code answer_option(endpoint&, control_request&) noexcept;
    std::uint16_t free_port(address) noexcept;

    std::deque<endpoint> endpoints_;
    std::vector<std::uint32_t> free_;
    std::uint16_t last_port_ = 49151;
};

}
