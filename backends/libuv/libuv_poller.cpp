// libuv_poller.cpp - uv_run() waits, for one descriptor: that of the system's own poller, which knows the sockets.
#include "../common/clock.hpp"
#include "../reactor/native_poller.hpp"
#include "../reactor/reactor.hpp"

#include <corun/libuv.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <system_error>

#include <uv.h>

namespace corun {
namespace {

void check(int answer, const char* call) {
    if (answer < 0)
        throw std::system_error(-answer, std::system_category(), call);
}

template <class H>
uv_handle_t* as_handle(H& h) noexcept {
    return reinterpret_cast<uv_handle_t*>(&h);
}

/// Closed handles end in a later turn of their loop: what they are part of lives until then.
struct shared_handles {
    uv_poll_t news;
    uv_timer_t deadline;
    int open = 2;
    collecting_poller* sockets = nullptr;
    host_of_news host;

    void close() noexcept {
        const auto end = [](uv_handle_t* h) {
            auto* const all = static_cast<shared_handles*>(h->data);
            if (--all->open == 0)
                delete all;
        };
        uv_poll_stop(&news);   // from here on its descriptor may be closed
        uv_close(as_handle(news), end);
        uv_close(as_handle(deadline), end);
    }
};

/// Ends a loop of our own, when what is on it has been closed.
struct loop_end {
    void operator()(uv_loop_t* loop) const noexcept {
        while (uv_loop_close(loop) == UV_EBUSY)
            uv_run(loop, UV_RUN_NOWAIT);
        delete loop;
    }
};

class libuv_poller final : public poller {
public:
    explicit libuv_poller(uv_loop_t* borrowed) : loop_(borrowed) {
        if (!loop_) {
            auto made = std::make_unique<uv_loop_t>();
            check(uv_loop_init(made.get()), "corun: uv_loop_init");
            own_.reset(loop_ = made.release());
        }
        auto made = std::make_unique<shared_handles>();
        check(uv_poll_init(loop_, &made->news, sockets_.descriptor()), "corun: uv_poll_init");
        uv_timer_init(loop_, &made->deadline);
        made->news.data = made->deadline.data = made.get();
        made->sockets = &sockets_;
        uv_poll_start(&made->news, UV_READABLE, [](uv_poll_t* p, int, int) {
            auto& all = *static_cast<shared_handles*>(p->data);
            all.sockets->collect();
            all.host.tell();
        });
        shared_ = made.release();
    }
    ~libuv_poller() override { shared_->close(); }

    std::error_code attach(registration& r) noexcept override { return sockets_.attach(r); }
    void arm(registration&) noexcept override {}
    void detach(registration& r) noexcept override { sockets_.detach(r); }

    bool wait(time_point deadline, ready_list& ready) noexcept override {
        const bool only_collects = is_hosted() && deadline == time_point::min();
        if (!only_collects && !sockets_.has_news())
            turn(deadline);
        return sockets_.take(ready);
    }

    void wake() noexcept override { sockets_.wake(); }

    native_handle wait_handle() const noexcept override { return uv_backend_fd(loop_); }

    bool on_news(void (*call)(void*) noexcept, void* context) noexcept override {
        if (own_)
            return false;
        shared_->host = {call, context};
        // What keeps the host's loop alive is its host's to say.
        const auto count = call ? &uv_unref : &uv_ref;
        count(as_handle(shared_->news));
        return true;
    }

private:
    bool is_hosted() const noexcept { return shared_->host.call != nullptr; }

    void turn(time_point deadline) noexcept {
        // uv_run() waits for nothing where there is nothing that counts.
        if (is_hosted())
            uv_ref(as_handle(shared_->news));
        turn_loop(deadline);
        if (is_hosted())
            uv_unref(as_handle(shared_->news));
    }

    void turn_loop(time_point deadline) noexcept {
        const bool is_bounded = deadline != no_deadline;
        const duration left = is_bounded ? common::time_until(deadline) : duration::zero();
        if (is_bounded && left == duration::zero()) {
            uv_run(loop_, UV_RUN_NOWAIT);
            return;
        }
        uv_update_time(loop_);
        std::uint64_t milliseconds = is_bounded ? static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::milliseconds>(left).count())
                                                : std::numeric_limits<std::uint64_t>::max();
        // A loop of our own has no other timers; asked all the same, it answers 0 until it has begun to watch what it was given.
        if (const int due = own_ ? -1 : uv_backend_timeout(loop_); due >= 0)
            milliseconds = std::min(milliseconds, static_cast<std::uint64_t>(due));
        // What is due is run before the loop polls: our deadline, and timers of the program's that make a task ready. None of them is news
        // to the poll, which must not wait without an end then.
        const bool stops = milliseconds != std::numeric_limits<std::uint64_t>::max();
        if (stops)
            uv_timer_start(&shared_->deadline, [](uv_timer_t* t) { uv_stop(t->loop); }, milliseconds, 0);
        uv_run(loop_, UV_RUN_ONCE);
        if (stops)
            uv_timer_stop(&shared_->deadline);
    }

    std::unique_ptr<uv_loop_t, loop_end> own_;
    uv_loop_t* loop_;
    collecting_poller sockets_;
    shared_handles* shared_ = nullptr;
};

}

std::unique_ptr<backend> make_libuv() { return std::make_unique<reactor>(std::make_unique<libuv_poller>(nullptr), "libuv"); }

std::unique_ptr<backend> make_libuv(uv_loop_s& loop) { return std::make_unique<reactor>(std::make_unique<libuv_poller>(&loop), "libuv"); }

}
