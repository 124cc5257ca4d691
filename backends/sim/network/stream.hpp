// stream.hpp - one end of a connection.
#pragma once

#include "links.hpp"
#include "socket.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

namespace corun::sim {

class stream final : public socket {
public:
    /// The end that connected, and has been another socket before.
    stream(const socket& before, links&, std::uint16_t listener_port, const address& remote) noexcept;

    /// The listener's end.
    stream(engine&, links&, std::uint16_t listener_port, const address& local, const address& remote) noexcept;

    bool read(operation&) override;
    bool write(operation&) override;
    bool connect(operation& o) override { return answer(o, std::errc::already_connected); }
    bool shut_down(operation&) override;
    std::error_code control(control_request&) override;
    bool expects() const noexcept override { return under_way_ > 0; }
    void hasten() override { links_.hasten(name); }
    void close() override;
    void arrive(piece, const std::vector<std::byte>&) override;

    const address& remote() const noexcept { return remote_; }

    handle peer;   // names no record once the peer has closed

protected:
    bool is_readable() const noexcept override { return !arrived_.empty() || ended_ || was_reset_; }
    bool is_writable() const noexcept override;

private:
    stream* find_peer() const noexcept;
    std::size_t room() const noexcept;
    std::size_t piece_size(std::size_t most);
    bool breaks();
    bool answer_broken(operation&);
    void transmit(piece what, std::vector<std::byte> data = {}) { links_.transmit(what, peer, port, std::move(data)); }

    links& links_;
    address remote_;
    std::deque<std::byte> arrived_;   // what the peer sent and no read took
    std::size_t under_way_ = 0;       // bytes that will arrive
    std::size_t sent_ = 0;            // bytes, ever
    bool ended_ = false;              // the peer sends nothing more
    bool sends_no_more_ = false;      // shutdown
    bool was_reset_ = false;
    bool reset_told_ = false;   // the reset has been an answer
};

}
