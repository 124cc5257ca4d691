// asio_host.cpp - see asio_host.hpp.
#include <corun/asio_host.hpp>
#include <corun/host_pump.hpp>

#include "../../backends/asio/context_waits.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <new>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

namespace corun {
namespace {

/// Room for one handler that Asio keeps: a wake-up must not depend on memory.
class handler_room {
public:
    void* take(std::size_t size) noexcept { return size <= sizeof bytes_ && !is_taken_.exchange(true) ? bytes_ : nullptr; }
    bool give_back(void* p) noexcept {
        if (p != bytes_)
            return false;
        is_taken_ = false;
        return true;
    }

private:
    alignas(std::max_align_t) std::byte bytes_[256];
    std::atomic<bool> is_taken_ = false;
};

template <class T>
class room_allocator {
public:
    using value_type = T;

    explicit room_allocator(handler_room& r) noexcept : room_(&r) {}
    template <class U>
    room_allocator(const room_allocator<U>& other) noexcept : room_(other.room_) {}

    T* allocate(std::size_t count) {
        void* const reserved = room_->take(count * sizeof(T));
        return static_cast<T*>(reserved ? reserved : ::operator new(count * sizeof(T)));
    }
    void deallocate(T* p, std::size_t) noexcept {
        if (!room_->give_back(p))
            ::operator delete(p);
    }
    template <class U>
    bool operator==(const room_allocator<U>& other) const noexcept {
        return room_ == other.room_;
    }

private:
    template <class>
    friend class room_allocator;

    handler_room* room_;
};

}

/// Handlers keep it, and find `io` empty after the host or the context has gone.
struct asio_host::state final : host_pump, std::enable_shared_from_this<state> {
    state(asio::io_context& c, guest& g, dispatch_budget b) : host_pump(g, b), waits(c), io(std::in_place, c) {}

    void begin() {
        waits.begin_work();
        is_work = true;
        attach(watched_by::poller);
    }

    /// Nothing asks for dispatch() any more, nothing of the context's is held.
    void end_io() noexcept {
        detach();
        if (!io)
            return;
        waits.count();   // their handlers are still to be called
        end_work();
        if (io->watch.is_open())
            (void)io->watch.release();
        io.reset();
    }

    void keep_alive(bool keeps) noexcept {
        if (!io || is_over || is_work == keeps)
            return;
        if (keeps) {
            waits.count();
            waits.begin_work();
            is_work = true;
        } else {
            waits.discount();
            end_work();
        }
    }

    void end_work() noexcept {
        if (std::exchange(is_work, false))
            waits.end_work();
    }

    /// A dispatch() that the context owes; its memory is the state's own.
    struct owed_dispatch {
        using allocator_type = room_allocator<void>;
        allocator_type get_allocator() const noexcept { return allocator_type(self->room); }
        void operator()() const {
            self->is_requested = false;
            self->dispatch();
        }
        std::shared_ptr<state> self;   // goes after the memory: Asio takes a handler out of it first
    };

    void call_soon() noexcept override {
        if (!is_requested.exchange(true))
            asio::post(io->context, owed_dispatch{shared_from_this()});
    }

    void sleep(native_handle handle, std::optional<duration> at_most) override {
        if (handle != no_native_handle && !is_watching) {
            if (!io->watch.is_open())
                io->watch.assign(static_cast<int>(handle));
            io->watch.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](const std::error_code& error) {
                self->waits.ended();
                self->is_watching = false;
                if (!error)
                    self->dispatch();
            });
            waits.began();
            is_watching = true;
        }
        set_timer(at_most);
        if (!is_work)
            waits.discount();
    }

    void set_timer(std::optional<duration> at_most) {
        const auto deadline = hosted()->next_deadline();
        if (!at_most || deadline == armed_for)
            return;
        armed_for.reset();
        // Its clock may be another one than the guest's, and adds to it.
        io->timer.expires_after(std::min<duration>(*at_most, std::chrono::hours(24)));
        io->timer.async_wait([self = shared_from_this()](const std::error_code& error) {
            self->waits.ended();
            if (error)
                return;
            self->armed_for.reset();
            self->dispatch();
        });
        waits.began();
        armed_for = deadline;
    }

    void stop() noexcept override {
        if (!io)
            return;
        is_over = true;
        waits.count();
        end_work();
        io->timer.cancel();
        if (io->watch.is_open())
            (void)io->watch.release();
    }

    struct objects {
        explicit objects(asio::io_context& c) : context(c), watch(c), timer(c) {}

        asio::io_context& context;
        asio::posix::stream_descriptor watch;
        asio::steady_timer timer;
    };

    context_waits waits;
    std::optional<objects> io;   // none once the context is gone
    handler_room room;
    std::atomic<bool> is_requested = false;
    bool is_watching = false;
    bool is_work = false;   // the context counts the run
    bool is_over = false;
    std::optional<time_point> armed_for;
};

/// The hosts of a context: they let go of it when it ends.
class asio_host::registry : public asio::execution_context::service {
public:
    static inline asio::execution_context::id id;

    explicit registry(asio::execution_context& c) : service(c) {}
    void shutdown() noexcept override {
        for (state* const host : std::exchange(hosts_, {}))
            host->end_io();
    }
    void add(state& host) { hosts_.push_back(&host); }
    void remove(state& host) noexcept { std::erase(hosts_, &host); }

private:
    std::vector<state*> hosts_;
};

asio_host::asio_host(asio::io_context& context, guest& g, dispatch_budget budget) : state_(std::make_shared<state>(context, g, budget)) {
    asio::use_service<registry>(context).add(*state_);
    try {
        state_->begin();
    } catch (...) {
        asio::use_service<registry>(context).remove(*state_);
        state_->end_io();
        throw;
    }
}

void asio_host::keeps_alive(bool keeps) noexcept { state_->keep_alive(keeps); }

asio_host::~asio_host() {
    if (state_->io)
        asio::use_service<registry>(state_->io->context).remove(*state_);
    state_->end_io();
}

}
