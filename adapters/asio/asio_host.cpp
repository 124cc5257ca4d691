// asio_host.cpp - see asio_host.hpp.
#include <corun/asio_host.hpp>
#include <corun/guest_waiter.hpp>
#include <corun/usable_news.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <new>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include <asio/executor_work_guard.hpp>
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
struct asio_host::state : std::enable_shared_from_this<state> {
    state(asio::io_context& c, guest& g, dispatch_budget b) : hosted(&g), budget(b), io(std::in_place, c) {}

    void begin() {
        const wake_hook hook{[](void* s) noexcept { static_cast<state*>(s)->request(); }, this};
        news = usable_news(*hosted, watched_by::poller);
        if (news == guest_news::handle)
            io->watch.assign(static_cast<int>(hosted->poll_handle()));
        else if (news == guest_news::helper_thread)
            waiter = std::make_unique<guest_waiter>(*hosted, hook);
        hosted->attach(hook);
        is_attached = true;
        request();
    }

    /// Nobody asks for dispatch() any more, nothing of the context's is held.
    void end_io() noexcept {
        if (std::exchange(is_attached, false))
            hosted->detach();
        waiter.reset();
        if (io && io->watch.is_open())
            (void)io->watch.release();
        io.reset();
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

    /// Any thread.
    void request() noexcept {
        if (!is_requested.exchange(true))
            asio::post(io->context, owed_dispatch{shared_from_this()});
    }

    void dispatch() {
        if (!io || hosted->is_dispatching())
            return;
        if (waiter)
            waiter->end_sleep();
        const dispatch_result left = hosted->dispatch(budget);
        if (!io)
            return;
        if (left.finished) {
            end_waits();
            return;
        }
        if (left.more || hosted->prepare()) {
            request();
            return;
        }
        try {
            sleep();
        } catch (const std::bad_alloc&) {
            request();   // without memory for its waits the host does not sleep
        }
    }

    void sleep() {
        const auto deadline = hosted->next_deadline();
        if (waiter) {
            waiter->sleep_until(deadline.value_or(no_deadline));
            return;
        }
        if (news == guest_news::handle && !is_watching) {
            io->watch.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](const std::error_code& error) {
                self->is_watching = false;
                if (!error)
                    self->dispatch();
            });
            is_watching = true;
        }
        if (!deadline || deadline == armed_for)
            return;
        // Its clock may be another one than the guest's, and adds to it.
        const duration left = std::clamp<duration>(*deadline - hosted->get_loop().time(), duration::zero(), std::chrono::hours(24));
        armed_for.reset();
        io->timer.expires_after(left);
        io->timer.async_wait([self = shared_from_this()](const std::error_code& error) {
            if (error)
                return;
            self->armed_for.reset();
            self->dispatch();
        });
        armed_for = deadline;
    }

    void end_waits() {
        io->work.reset();
        io->timer.cancel();
        if (io->watch.is_open())
            (void)io->watch.release();
    }

    struct objects {
        explicit objects(asio::io_context& c) : context(c), watch(c), timer(c), work(c.get_executor()) {}

        asio::io_context& context;
        asio::posix::stream_descriptor watch;
        asio::steady_timer timer;
        asio::executor_work_guard<asio::io_context::executor_type> work;
    };

    guest* hosted;
    dispatch_budget budget;
    guest_news news = guest_news::helper_thread;
    std::optional<objects> io;   // none once the context is gone
    std::unique_ptr<guest_waiter> waiter;
    handler_room room;
    std::atomic<bool> is_requested = false;
    bool is_watching = false;
    bool is_attached = false;
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

asio_host::~asio_host() {
    if (state_->io)
        asio::use_service<registry>(state_->io->context).remove(*state_);
    state_->end_io();
}

}
