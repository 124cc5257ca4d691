// blocking_backend.hpp - the system's poller with every transfer that is ready answered `blocking`: what the pool does for files, done to
// sockets.
#pragma once

#include <corun/backend.hpp>
#include <corun/epoll.hpp>
#include <posix/attempt.hpp>
#include <posix/operations.hpp>
#include <posix/sockets.hpp>
#include <support/wrapped_backend.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <utility>

#include <poll.h>

namespace testing {

class blocking_backend final : public wrapped_backend {
public:
    blocking_backend() : wrapped_backend(corun::make_epoll()) {}

    corun::submitted submit(corun::operation& o) noexcept override {
        const auto found = sockets_.find(key(o.target));
        if (found != sockets_.end() && found->second.closing)
            return answer(o, EBADF);
        if (o.kind == corun::operation_kind::close)
            return answer(o, close(o.target).value());
        socket_state* const known = state_of(o.target);
        if (!known)
            return answer(o, ENOMEM);
        socket_state& s = *known;
        const std::uint8_t directions = corun::common::directions_of(o);
        if (((directions & corun::ready::readable) && s.reader) || ((directions & corun::ready::writable) && s.writer))
            return answer(o, corun::operation::busy);
        const int fd = descriptor(o.target);
        if (!is_of_the_pool(o) || fd < 0 || !is_ready(fd, directions))
            return pass_on(s, o, directions);
        if (o.kind == corun::operation_kind::read && s.lost)
            return answer(o, s.lost);
        o.native = fd;
        note(s, o, directions);
        ++s.on_pool;
        return corun::submitted::blocking;
    }

    /// As the reactor's try, on a copy: the card's state is the loop's.
    void perform(corun::operation& o) noexcept override {
        if (before_perform)
            before_perform();
        struct copy final : corun::operation {
            using operation::operation;
            corun::interruption interrupt(corun::detail::task_state*&) noexcept override { return corun::interruption::refused; }
            std::string_view what() const noexcept override { return "copy"; }
        } tried(o.kind, o.target);
        tried.slice = o.slice;
        tried.slices = o.slices == &o.slice ? &tried.slice : o.slices;
        tried.slice_count = o.slice_count;
        const int fd = static_cast<int>(o.native);
        while (corun::posix::attempt(fd, tried) == corun::posix::attempted::would_block)
            is_ready(fd, corun::common::directions_of(o), -1);
        o.answer_with(tried.error, tried.count);
        ++performed;
    }

    void take_back(corun::operation& o) noexcept override {
        const auto found = sockets_.find(key(o.target));
        socket_state& s = found->second;
        forget(s, o);
        --s.on_pool;
        corun::posix::note_end(s, o);
        if (s.on_pool == 0 && s.closing) {
            (void)corun::posix::close_socket(s.kept);
            sockets_.erase(found);
        }
    }

    bool cancel(corun::operation& o) noexcept override {
        for (const auto& [handle, s] : sockets_)
            if (s.on_pool > 0 && (s.reader == &o || s.writer == &o) && o.state != corun::operation_state::pending)
                ++cancelled_on_pool;
        return real().cancel(o);
    }

    corun::waited wait(corun::time_point deadline, corun::operation_list& finished) noexcept override {
        corun::operation_list all;
        const corun::waited answered = real().wait(deadline, all);
        while (corun::operation* const o = all.pop_front()) {
            if (const auto found = sockets_.find(key(o->target)); found != sockets_.end())
                forget(found->second, *o);
            finished.push_back(*o);
        }
        return answered;
    }

    std::error_code control(corun::handle h, corun::control_request& r) noexcept override {
        const auto found = sockets_.find(key(h));
        if (found == sockets_.end())
            return real().control(h, r);
        if (found->second.closing)
            return {EBADF, std::system_category()};
        if (r.kind == corun::control_kind::release && found->second.on_pool > 0)
            return {EBUSY, std::system_category()};
        return real().control(h, r);
    }

    /// With cards on the pool the descriptor stays; what waits elsewhere ends.
    std::error_code close(corun::handle h) noexcept override {
        const auto found = sockets_.find(key(h));
        if (found == sockets_.end() || found->second.on_pool == 0) {
            sockets_.erase(key(h));
            return real().close(h);
        }
        socket_state& s = found->second;
        if (std::exchange(s.closing, true))
            return {EBADF, std::system_category()};
        for (corun::operation* const o : {s.reader, s.writer})
            if (o && o->state == corun::operation_state::pending)
                (void)real().cancel(*o);
        corun::control_request r(corun::control_kind::release);
        const std::error_code error = real().control(h, r);
        s.kept = static_cast<int>(r.native);
        return error;
    }

    std::function<void()> before_perform;   ///< on the pool's thread
    std::atomic<int> performed = 0;
    int cancelled_on_pool = 0;   ///< cards that the backend was asked to cancel though it did not have them

private:
    /// `lost` as a reactor's record has it.
    struct socket_state {
        corun::operation* reader = nullptr;
        corun::operation* writer = nullptr;
        int on_pool = 0;
        std::int32_t lost = 0;
        bool closing = false;
        int kept = -1;
    };

    static std::pair<std::uint32_t, std::uint32_t> key(corun::handle h) noexcept { return {h.index, h.generation}; }

    /// Null without memory for it.
    socket_state* state_of(corun::handle h) noexcept {
        try {
            return &sockets_[key(h)];
        } catch (const std::bad_alloc&) {
            return nullptr;
        }
    }

    static corun::submitted answer(corun::operation& o, int error) noexcept {
        o.finish(error);
        return corun::submitted::finished;
    }

    static bool is_of_the_pool(const corun::operation& o) noexcept {
        return o.kind == corun::operation_kind::read || o.kind == corun::operation_kind::write || o.kind == corun::operation_kind::shutdown;
    }

    static bool is_ready(int fd, std::uint8_t directions, int milliseconds = 0) noexcept {
        ::pollfd p{fd, static_cast<short>(directions & corun::ready::readable ? POLLIN : POLLOUT), 0};
        return ::poll(&p, 1, milliseconds) > 0;
    }

    int descriptor(corun::handle h) noexcept {
        corun::control_request r(corun::control_kind::native);
        return real().control(h, r) ? -1 : static_cast<int>(r.native);
    }

    static void note(socket_state& s, corun::operation& o, std::uint8_t directions) noexcept {
        if (directions & corun::ready::readable)
            s.reader = &o;
        if (directions & corun::ready::writable)
            s.writer = &o;
    }

    static void forget(socket_state& s, const corun::operation& o) noexcept {
        if (s.reader == &o)
            s.reader = nullptr;
        if (s.writer == &o)
            s.writer = nullptr;
    }

    corun::submitted pass_on(socket_state& s, corun::operation& o, std::uint8_t directions) noexcept {
        const corun::submitted answered = real().submit(o);
        if (answered == corun::submitted::pending)
            note(s, o, directions);
        else if (o.error == EBADF)
            sockets_.erase(key(o.target));
        return answered;
    }

    std::map<std::pair<std::uint32_t, std::uint32_t>, socket_state> sockets_;
};

}
