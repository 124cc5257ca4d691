// socket.hpp - what listeners, streams and sockets that are neither have in common.
#pragma once

#include "../engine/engine.hpp"

#include <corun/address.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace corun::sim {

class listener;

/// What one socket sends another.
enum class piece : std::uint8_t { bytes, end, reset, knock };

class socket : public object {
public:
    /// What is asked of a socket of another role.
    bool read(operation& o) override { return answer(o, std::errc::not_connected); }
    bool write(operation& o) override { return answer(o, std::errc::broken_pipe); }
    bool accept(operation& o) override { return answer(o, std::errc::invalid_argument); }
    bool connect(operation& o) override { return answer(o, std::errc::invalid_argument); }
    bool shut_down(operation& o) override { return answer(o, std::errc::not_connected); }

    bool poll(operation&) final;
    std::error_code control(control_request&) override;

    /// A piece is here.
    virtual void arrive(piece, const std::vector<std::byte>&) {}

    virtual listener* as_listener() noexcept { return nullptr; }

    int& option(socket_option o) noexcept { return options_[static_cast<std::size_t>(o)]; }
    int option(socket_option o) const noexcept { return options_[static_cast<std::size_t>(o)]; }
    bool has(socket_option o) const noexcept { return option(o) != 0; }

    /// An IPv6 socket of all addresses that takes IPv4, too.
    bool is_dual() const noexcept;

    const link_settings& link() const noexcept { return engine_.options.link_of(port); }

    address local;
    std::uint16_t port = 0;      // of the listener that the connection belongs to
    std::size_t pieces = 0;      // that will arrive
    time_point last_arrival{};   // nothing overtakes

protected:
    socket(engine& e, const address& at) noexcept : local(at), engine_(e) {}

    /// The same socket in another role: addresses, options, and what is under way to it.
    explicit socket(const socket& before) noexcept
        : local(before.local),
          port(before.port),
          pieces(before.pieces),
          last_arrival(before.last_arrival),
          engine_(before.engine_),
          options_(before.options_) {}

    virtual bool is_readable() const noexcept { return false; }
    virtual bool is_writable() const noexcept { return true; }

    engine& engine_;

private:
    std::array<int, 8> options_{};
};

}
