// network.hpp - TCP in memory: sockets, listeners, connections, what is under way, and the operations that wait.
#pragma once

#include <corun/backend.hpp>
#include <corun/sim.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace corun::sim {

struct world;

/// One socket. Its number is its place in the network's table; a closed one's generation has moved on.
struct endpoint {
    enum class role : std::uint8_t { closed, fresh, listener, stream };
    enum class knock : std::uint8_t { none, under_way, at_the_door };

    role is = role::closed;
    knock knocked = knock::none;   // of a socket that connects
    std::uint32_t generation = 0;
    address local;
    address remote;
    std::uint16_t port = 0;            // of the listener that the connection belongs to
    handle peer;                       // of a stream; names nobody once the peer has closed
    std::deque<std::byte> arrived;     // what the peer sent and nobody read
    std::size_t under_way = 0;         // bytes that will arrive
    std::size_t pieces = 0;            // that will arrive
    std::size_t sent = 0;              // bytes, ever
    time_point last_arrival{};         // nothing overtakes
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

    int& option(socket_option o) noexcept { return options[static_cast<std::size_t>(o)]; }
};

class network {
public:
    explicit network(world& w) : world_(w) {}
    network(const network&) = delete;

    /// Forgets everything.
    void begin();

    submitted submit(operation&);
    void cancel(operation&);
    result<handle> open(socket_type);
    std::error_code control(handle, control_request&);
    std::error_code close(handle);

    /// When the next piece arrives; no_deadline if none is under way.
    time_point next_arrival() const noexcept;

    /// Lets everything arrive whose time has come.
    void arrive();

    void partition();
    void partition(std::uint16_t port);
    void heal();
    void heal(std::uint16_t port);

    /// What finished outside submit().
    std::vector<operation*> finished;

private:
    enum class piece : std::uint8_t { bytes, end, reset, knock };

    struct event {
        piece what;
        handle to;
        std::uint16_t port;
        std::vector<std::byte> data;
    };
    using moment = std::pair<time_point, std::uint64_t>;

    endpoint* find(handle) noexcept;
    handle handle_of(const endpoint&) const noexcept;
    bool is_full() const noexcept;
    handle new_endpoint();
    const sim_link& link_of(const endpoint&) const noexcept;
    bool attempt(endpoint&, handle, operation&);   // true: answered
    bool receive(endpoint&, operation&);
    bool send(endpoint&, operation&);
    bool take_connection(endpoint&, operation&);
    bool connect(endpoint&, handle, operation&);
    bool answer_poll(endpoint&, operation&) noexcept;
    bool shut_down(endpoint&, operation&);
    bool can_send(const endpoint&) noexcept;
    std::size_t room_at(endpoint&) noexcept;
    std::size_t piece_size(const endpoint&, std::size_t most);
    bool breaks(endpoint&);
    bool answer_broken(operation&);
    void transmit(piece, handle to, const endpoint& over, std::vector<std::byte> data);
    void deliver(event&);
    bool is_cut(std::uint16_t port) const noexcept;
    void release_held(bool (*wanted)(const event&, std::uint16_t), std::uint16_t port);
    endpoint* listener_at(const address&) noexcept;
    bool is_taken(const address&) noexcept;
    bool join(endpoint& client, handle at_client, endpoint& listener);
    void retry(handle);
    void leave(endpoint&, operation&);
    void note_answer(const operation&) noexcept;
    std::error_code bind(endpoint&, const address&);
    std::error_code answer_option(endpoint&, control_request&) noexcept;
    std::uint16_t free_port(address) noexcept;

    world& world_;
    std::deque<endpoint> endpoints_;
    std::vector<std::uint32_t> free_;
    std::size_t open_ = 0;
    std::uint16_t last_port_ = 49151;
    std::map<moment, event> events_;
    std::uint64_t next_number_ = 0;
    std::vector<event> held_;   // by a partition, in order
    bool all_cut_ = false;
    std::set<std::uint16_t> cut_;
};

}
