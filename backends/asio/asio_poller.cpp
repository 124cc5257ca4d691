// asio_poller.cpp - an io_context waits, for one descriptor: that of the system's own poller, which knows the sockets.
#include "../common/clock.hpp"
#include "../reactor/native_poller.hpp"
#include "../reactor/reactor.hpp"
#include "context_waits.hpp"

#include <corun/asio.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <system_error>

#include <asio/posix/stream_descriptor.hpp>

namespace corun {
namespace {

class asio_poller final : public poller {
public:
    explicit asio_poller(asio::io_context* borrowed)
        : own_(borrowed ? nullptr : std::make_unique<asio::io_context>(1)),
          context_(borrowed ? *borrowed : *own_),
          state_(std::make_shared<state>(context_, sockets_)) {
        state_->wait_for_news(state_);
    }
    ~asio_poller() override {
        // A handler that is still to be called finds it gone.
        state_->sockets = nullptr;
        std::error_code ignored;
        state_->events.cancel(ignored);
        (void)state_->events.release();
    }

    std::error_code attach(registration& r) noexcept override { return sockets_.attach(r); }
    void arm(registration&) noexcept override {}
    void detach(registration& r) noexcept override { sockets_.detach(r); }

    bool wait(time_point deadline, ready_list& ready) noexcept override {
        if (!state_->host.call || deadline != time_point::min()) {
            state_->waits.count();
            run_until(deadline);
            context_.poll();
            state_->discount_waits();
        }
        return sockets_.take(ready);
    }

    void wake() noexcept override { sockets_.wake(); }

    /// An io_context does not show what it waits on.
    native_handle wait_handle() const noexcept override { return no_native_handle; }

    /// Handlers note their news and touch no operation. But those of a borrowed context belong to the loop's thread: that one isn't waited
    /// on.
    void block(time_point deadline) noexcept override {
        if (own_)
            run_until(deadline);
    }

    bool on_news(void (*call)(void*) noexcept, void* context) noexcept override {
        if (own_)
            return false;
        state_->host = {call, context};
        if (call)
            state_->discount_waits();
        else
            state_->waits.count();
        return true;
    }

private:
    /// Until a handler has run; not at all if there is news that has not been taken.
    void run_until(time_point deadline) noexcept {
        if (context_.stopped())
            context_.restart();
        if (sockets_.has_news())
            return;
        if (deadline == no_deadline)
            context_.run_one();
        else if (const duration left = common::time_until(deadline); left > duration::zero())
            context_.run_one_for(std::min<duration>(left, std::chrono::hours(24)));   // it adds to a clock that would overflow
    }

    /// What the handler uses, which may be called when the poller has gone; the last of both frees it.
    struct state {
        state(asio::io_context& c, collecting_poller& p) : waits(c), events(c, p.descriptor()), sockets(&p) {}

        /// What keeps the host's run() from returning is its host's to say.
        void discount_waits() noexcept {
            if (host.call)
                waits.discount();
        }

        void wait_for_news(const std::shared_ptr<state>& self) {
            events.async_wait(asio::posix::stream_descriptor::wait_read, [self](const std::error_code& error) {
                self->waits.ended();
                if (error || !self->sockets)
                    return;
                self->sockets->collect();
                self->wait_for_news(self);
                self->discount_waits();
                self->host.tell();
            });
            waits.began();
        }

        context_waits waits;
        asio::posix::stream_descriptor events;
        collecting_poller* sockets;   // null once it has gone
        host_of_news host;
    };

    std::unique_ptr<asio::io_context> own_;
    asio::io_context& context_;
    collecting_poller sockets_;
    std::shared_ptr<state> state_;
};

}

std::unique_ptr<backend> make_asio() { return std::make_unique<reactor>(std::make_unique<asio_poller>(nullptr), "asio"); }

std::unique_ptr<backend> make_asio(asio::io_context& context) {
    return std::make_unique<reactor>(std::make_unique<asio_poller>(&context), "asio");
}

}
