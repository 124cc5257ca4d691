// stream.cpp - see stream.hpp.
#include "stream.hpp"

#include <algorithm>
#include <utility>

namespace corun::sim {
namespace {

std::size_t size_of(const operation& o) noexcept {
    std::size_t all = 0;
    for (std::uint32_t i = 0; i < o.slice_count; ++i)
        all += o.slices[i].size;
    return all;
}

}

stream::stream(const socket& before, links& l, std::uint16_t listener_port, const address& remote) noexcept
    : socket(before), links_(l), remote_(remote) {
    port = listener_port;
}

stream::stream(engine& e, links& l, std::uint16_t listener_port, const address& local_one, const address& remote) noexcept
    : socket(e, local_one), links_(l), remote_(remote) {
    port = listener_port;
}

std::error_code stream::control(control_request& r) {
    if (r.kind != control_kind::remote_address)
        return socket::control(r);
    *r.where = remote_;
    return {};
}

void stream::arrive(piece what, const std::vector<std::byte>& data) {
    under_way_ -= data.size();
    if (!was_reset_)
        arrived_.insert(arrived_.end(), data.begin(), data.end());
    ended_ = ended_ || what == piece::end;
    was_reset_ = was_reset_ || what == piece::reset;
}

/// How much of `most` bytes moves at once.
std::size_t stream::piece_size(std::size_t most) {
    const std::uint32_t chunk = link().chunk;
    // The whole chunk is choice 0.
    return chunk == 0 || most <= 1 ? most : std::min<std::size_t>(most, chunk - engine_.chance.below(chunk));
}

/// True if the connection breaks now: both sides find it reset.
bool stream::breaks() {
    if (!engine_.chance.one_in(link().reset))
        return false;
    was_reset_ = reset_told_ = true;
    arrived_.clear();
    transmit(piece::reset);
    return true;
}

/// For the operation that found its connection broken; the other one of that side finds it too.
bool stream::answer_broken(operation& o) {
    answer(o, std::errc::connection_reset);
    engine_.names.retry(name);
    return true;
}

bool stream::read(operation& o) {
    if (arrived_.empty()) {
        if (was_reset_) {
            reset_told_ = true;
            return answer(o, std::errc::connection_reset);
        }
        if (ended_)
            o.finish(0, 0);
        return ended_;
    }
    if (breaks())
        return answer_broken(o);
    std::size_t left = piece_size(std::min(size_of(o), arrived_.size()));
    const std::size_t count = left;
    for (std::uint32_t i = 0; i < o.slice_count && left > 0; ++i) {
        const std::size_t part = std::min(o.slices[i].size, left);
        const auto end = arrived_.begin() + static_cast<std::ptrdiff_t>(part);
        std::copy(arrived_.begin(), end, static_cast<std::byte*>(o.slices[i].data));
        arrived_.erase(arrived_.begin(), end);
        left -= part;
    }
    o.finish(0, count);
    engine_.names.retry(peer);   // there is room now
    return true;
}

stream* stream::find_peer() const noexcept {
    return static_cast<stream*>(engine_.names.find(peer));
}   // a stream's handle names nothing else

/// For bytes that the peer sends.
std::size_t stream::room() const noexcept {
    const int asked = option(socket_option::receive_buffer);
    const std::size_t capacity = asked > 0 ? static_cast<std::size_t>(asked) : link().buffer;
    const std::size_t used = arrived_.size() + under_way_;
    return used < capacity ? capacity - used : 0;
}

bool stream::is_writable() const noexcept {
    const stream* const to = find_peer();
    return was_reset_ || sends_no_more_ || !to || to->room() > 0;
}

bool stream::write(operation& o) {
    if (was_reset_)
        return answer(o, std::exchange(reset_told_, true) ? std::errc::broken_pipe : std::errc::connection_reset);
    if (sends_no_more_)
        return answer(o, std::errc::broken_pipe);
    stream* const to = find_peer();
    if (!to) {   // the peer has gone: the answer is a reset, and this write does not know it yet
        was_reset_ = true;
        o.finish(0, size_of(o));
        return true;
    }
    const std::size_t room = to->room();
    if (room == 0)
        return false;
    if (breaks())
        return answer_broken(o);
    std::size_t count = piece_size(std::min(size_of(o), room));
    const std::size_t last = link().close_at;
    if (last > 0)
        count = std::min(count, last - sent_);
    std::vector<std::byte> data;
    data.reserve(count);
    for (std::uint32_t i = 0; i < o.slice_count && data.size() < count; ++i) {
        const auto* const from = static_cast<const std::byte*>(o.slices[i].data);
        data.insert(data.end(), from, from + std::min(o.slices[i].size, count - data.size()));
    }
    sent_ += count;
    to->under_way_ += count;
    o.finish(0, count);
    transmit(piece::bytes, std::move(data));
    if (last > 0 && sent_ == last) {
        was_reset_ = true;
        transmit(piece::end);
        engine_.names.retry(name);   // a read that waits
    }
    return true;
}

bool stream::shut_down(operation& o) {
    if (was_reset_)
        return answer(o, std::errc::not_connected);
    if (!std::exchange(sends_no_more_, true))
        transmit(piece::end);
    o.finish(0);
    return true;
}

void stream::close() {
    // The end also where it has been told: the peer may wait for room, which no read will make any more.
    transmit(!arrived_.empty() || has(socket_option::linger_zero) ? piece::reset : piece::end);
}

}
