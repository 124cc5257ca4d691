// libuv_poller.cpp - waits with uv_run(). Level-triggered: a direction is watched from the first wish on, until it reports what nobody
// wants.
#include "../posix/clock.hpp"
#include "../reactor/reactor.hpp"

#include <corun/libuv.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <new>
#include <system_error>
#include <vector>

#include <uv.h>

namespace corun {
namespace {

void check(int answer, const char* call) {
    if (answer < 0)
        throw std::system_error(-answer, std::system_category(), call);
}

/// Closed handles end in a later turn of their loop: what they are part of lives until then.
struct shared_handles {
    uv_async_t wake;
    uv_timer_t deadline;
    int open = 2;
    bool woken = false;
    host_of_news host;

    void close() noexcept {
        const auto end = [](uv_handle_t* h) {
            auto* const all = static_cast<shared_handles*>(h->data);
            if (--all->open == 0)
                delete all;
        };
        uv_close(reinterpret_cast<uv_handle_t*>(&wake), end);
        uv_close(reinterpret_cast<uv_handle_t*>(&deadline), end);
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
        check(uv_async_init(loop_, &made->wake,
                            [](uv_async_t* a) {
                                auto& all = *static_cast<shared_handles*>(a->data);
                                all.woken = true;
                                all.host.tell();
                            }),
              "corun: uv_async_init");
        uv_timer_init(loop_, &made->deadline);
        made->wake.data = made->deadline.data = made.get();
        shared_ = made.release();
    }
    ~libuv_poller() override { shared_->close(); }

    std::error_code attach(registration& r) noexcept override {
        try {
            if (watches_.size() <= r.index)
                watches_.resize(r.index + 1);
            auto made = std::make_unique<watch>(*this, r);
            if (const int error = uv_poll_init(loop_, &made->handle, r.fd); error < 0)
                return {-error, std::system_category()};
            made->handle.data = made.get();
            watches_[r.index] = made.release();
            return {};
        } catch (const std::bad_alloc&) {
            return {ENOMEM, std::system_category()};
        }
    }

    void arm(registration& r) noexcept override {
        watch& w = *watches_[r.index];
        w.look_for(static_cast<std::uint8_t>(w.looked_for | r.wanted()));
    }

    void detach(registration& r) noexcept override {
        watch* const w = std::exchange(watches_[r.index], nullptr);
        news_.remove(r);
        uv_poll_stop(&w->handle);   // from here on the descriptor may be closed
        uv_close(reinterpret_cast<uv_handle_t*>(&w->handle), [](uv_handle_t* h) { delete static_cast<watch*>(h->data); });
    }

    bool wait(time_point deadline, ready_list& ready) noexcept override {
        const bool only_collects = shared_->host.call && deadline == time_point::min();
        if (!only_collects && !shared_->woken && news_.empty())
            turn(deadline);
        ready.splice_back(news_);
        return std::exchange(shared_->woken, false);
    }

    void wake() noexcept override { uv_async_send(&shared_->wake); }

    native_handle wait_handle() const noexcept override { return uv_backend_fd(loop_); }

    bool on_news(void (*call)(void*) noexcept, void* context) noexcept override {
        if (!own_)
            shared_->host = {call, context};
        return !own_;
    }

private:
    struct watch {
        watch(libuv_poller& p, registration& reg) noexcept : to(p), r(reg) {}

        void look_for(std::uint8_t directions) noexcept {
            if (std::exchange(looked_for, directions) == directions)
                return;
            const int events =
                (directions & registration::readable ? UV_READABLE : 0) | (directions & registration::writable ? UV_WRITABLE : 0);
            if (events == 0)
                uv_poll_stop(&handle);
            else
                uv_poll_start(&handle, events, &on_event);
        }

        static void on_event(uv_poll_t* h, int status, int events) {
            watch& w = *static_cast<watch*>(h->data);
            std::uint8_t news = registration::readable | registration::writable | registration::unusual;
            if (status < 0)
                w.looked_for = 0;   // libuv has stopped it
            else
                news = static_cast<std::uint8_t>((events & UV_READABLE ? registration::readable : 0) |
                                                 (events & UV_WRITABLE ? registration::writable : 0));
            w.to.news_.add(w.r, news);
            w.to.shared_->host.tell();
            // What is told again and again while nobody wants it is told no more.
            if (const auto unwanted = static_cast<std::uint8_t>(news & ~w.r.wanted()))
                w.look_for(static_cast<std::uint8_t>(w.looked_for & ~unwanted));
        }

        uv_poll_t handle;
        libuv_poller& to;
        registration& r;
        std::uint8_t looked_for = 0;
    };

    void turn(time_point deadline) noexcept {
        if (deadline == no_deadline) {
            uv_run(loop_, UV_RUN_ONCE);
        } else if (const duration left = posix::time_until(deadline); left == duration::zero()) {
            uv_run(loop_, UV_RUN_NOWAIT);
        } else {
            uv_update_time(loop_);
            const auto milliseconds = static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
            // One that is due before the loop polls must keep it from polling without an end.
            uv_timer_start(&shared_->deadline, [](uv_timer_t* t) { uv_stop(t->loop); }, milliseconds, 0);
            uv_run(loop_, UV_RUN_ONCE);
            uv_timer_stop(&shared_->deadline);
        }
    }

    std::unique_ptr<uv_loop_t, loop_end> own_;
    uv_loop_t* loop_;
    shared_handles* shared_ = nullptr;
    std::vector<watch*> watches_;   // by registration::index
    ready_list news_;
};

}

std::unique_ptr<backend> make_libuv() { return std::make_unique<reactor>(std::make_unique<libuv_poller>(nullptr), "libuv"); }

std::unique_ptr<backend> make_libuv(uv_loop_s& loop) { return std::make_unique<reactor>(std::make_unique<libuv_poller>(&loop), "libuv"); }

}
