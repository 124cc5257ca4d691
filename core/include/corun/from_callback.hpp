// from_callback.hpp - awaiting what somebody else's code completes: a callback, on whatever thread.
#pragma once

#include <corun/detail/callback.hpp>
#include <corun/detail/promise.hpp>
#include <corun/detail/request.hpp>
#include <corun/detail/value_slot.hpp>
#include <corun/errors.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace corun {

namespace detail {

class callback_waiter;
class inbox;

/// What the task that waits and the resolver have in common; freed by the last of the two.
struct callback_state : entry {
    using freer = void (*)(callback_state&) noexcept;
    enum class phase : std::uint8_t { open, answered, detached };

    callback_state(loop_core& core, freer f) noexcept;
    ~callback_state();
    callback_state(const callback_state&) = delete;

    /// The answer is in it: any thread, once; owes the resolver's reference.
    void come_back(ending how) noexcept;
    /// True if nothing had been answered, and from then on nothing will be. Loop's thread.
    bool stop_listening() noexcept {
        auto expected = phase::open;
        return now.compare_exchange_strong(expected, phase::detached, std::memory_order_acq_rel);
    }
    void release() noexcept {
        if (references.fetch_sub(1, std::memory_order_acq_rel) == 1)
            free(*this);
    }
    void drop_hook() noexcept;

    freer free;
    std::atomic<std::uint32_t> references = 2;
    std::atomic<phase> now = phase::open;
    detail::inbox* inbox;
    callback_waiter* waiting = nullptr;   // loop's thread
    callback* on_cancel = nullptr;        // the same
    std::exception_ptr error;
    std::error_code code;
    ending end = ending::none;
    bool is_broken = false;
    bool is_abort = false;   // the code says that the operation was cancelled
    bool detaches = false;
};

template <class T>
struct callback_state_of final : callback_state {
    explicit callback_state_of(loop_core& core) noexcept : callback_state(core, &free_it) {}
    ~callback_state_of() {
        if (end == ending::value)
            slot.destroy();
    }
    static void free_it(callback_state& s) noexcept {
        auto& self = static_cast<callback_state_of&>(s);
        self.~callback_state_of();
        free_block(&self, sizeof(callback_state_of));
    }

    [[no_unique_address]] value_slot<T> slot;
};

/// Waits for the answer; a request asks the other side and goes on waiting.
class callback_waiter : public waiter {
public:
    interruption interrupt(task_state*& next) noexcept override;
    std::string_view what() const noexcept override { return "callback"; }

protected:
    callback_waiter() noexcept = default;
    ~callback_waiter() { let_go(); }

    void listen(task_state& t) noexcept;
    void let_go() noexcept;
    void check_end();
    callback_state* state_ = nullptr;

private:
    friend callback_state;
};

/// Why a resolver can't be called: it has been, or it was moved from.
[[noreturn]] void throw_unusable_resolver(bool has_answered);

}

/// The other end of an await of from_callback(): to be called once, by any thread, whether or not the loop is still there. Moves only.
/// Destroyed uncalled, the await throws broken_callback.
template <class T>
class resolver {
public:
    resolver(resolver&& other) noexcept
        : state_(std::exchange(other.state_, nullptr)), has_answered_(std::exchange(other.has_answered_, false)) {}
    resolver& operator=(resolver&& other) noexcept {
        if (this != &other) {
            const resolver old(std::move(*this));
            state_ = std::exchange(other.state_, nullptr);
            has_answered_ = std::exchange(other.has_answered_, false);
        }
        return *this;
    }
    ~resolver() {
        if (!state_)
            return;
        state_->is_broken = true;
        answer(detail::ending::error);
    }

    /// True until it has been called, or moved from.
    explicit operator bool() const noexcept { return state_ != nullptr; }

    /// The await gives T(args...), in one of the loop's next turns; what its constructor throws becomes the await's error. Throws
    /// usage_error(errc::already_set) after the first call, and errc::empty_handle if it was moved from, as the others do.
    template <class... Args>
    void set_value(Args&&... args) {
        check();
        try {
            state_->slot.emplace(std::forward<Args>(args)...);
        } catch (...) {
            set_error(std::current_exception());
            return;
        }
        answer(detail::ending::value);
    }

    /// The await throws this.
    void set_error(std::exception_ptr error) { fail(std::move(error), {}, false); }

    /// The await throws std::system_error with this; after a request, `operation_canceled` is the cancellation.
    void set_error(std::error_code code) { fail(nullptr, code, code == std::errc::operation_canceled); }

    /// For codes that mean the same and do not compare with it: after a request the await is cancelled, without one it throws this.
    void set_aborted(std::error_code code) { fail(nullptr, code, true); }

    /// The same for an exception that says so: after a request the await is cancelled, without one it throws this.
    void set_aborted(std::exception_ptr error) { fail(std::move(error), {}, true); }

    /// The await throws `cancelled`: what was begun has ended without an answer.
    void set_cancelled() {
        check();
        answer(detail::ending::cancelled);
    }

    /// Within from_callback's function only: `f()` is called, on the loop's thread and at most once, when the awaiting task is asked to
    /// end and nothing has been answered; the await still waits for the answer. Another thread may answer while `f()` runs.
    template <class F>
    void on_cancel(F&& f) {
        check();
        detail::callback& hook = detail::make_callback(std::forward<F>(f));
        state_->drop_hook();
        state_->on_cancel = &hook;
    }

    /// Within from_callback's function only: a request ends the await at once, as cancelled, after on_cancel's function; what is answered
    /// later is dropped, what was answered before is given. For operations that use nothing of the caller's.
    void detach_on_cancel() {
        check();
        state_->detaches = true;
    }

private:
    template <class, class>
    friend class callback_awaiter;

    explicit resolver(detail::callback_state_of<T>& s) noexcept : state_(&s) {}
    void check() const {
        if (!state_)
            detail::throw_unusable_resolver(has_answered_);
    }
    void answer(detail::ending how) noexcept {
        has_answered_ = true;
        std::exchange(state_, nullptr)->come_back(how);
    }
    void fail(std::exception_ptr error, std::error_code code, bool is_abort) {
        check();
        state_->error = std::move(error);
        state_->code = code;
        state_->is_abort = is_abort;
        answer(detail::ending::error);
    }

    detail::callback_state_of<T>* state_;
    bool has_answered_ = false;
};

/// The awaiter of from_callback().
template <class T, class F>
class [[nodiscard("nothing happens until it is awaited")]] callback_awaiter final : public detail::callback_waiter {
    using state = detail::callback_state_of<T>;
    static_assert(alignof(state) <= 16, "corun: from_callback's value must not be over-aligned");

public:
    explicit callback_awaiter(F&& init) : init_(std::move(init)) {}

    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> h, detail::await_place where = detail::await_place::current()) {
        detail::task_state& t = detail::suspending_task(h, where);
        if (!begin_interrupted(t)) {
            auto* const made = ::new (detail::allocate_block(sizeof(state))) state(*t.core);
            state_ = made;   // let go of if the function throws
            init_(resolver<T>(*made));
            listen(t);
            return;
        }
    }
    T await_resume() {
        check_end();
        return static_cast<state*>(state_)->slot.take();
    }

private:
    F init_;
};

namespace detail {

template <class T, class F>
using callback_request = request<callback_awaiter<T, F>, F>;

}

/// `co_await from_callback<T>(init)`: calls `init(resolver<T>)`, which begins something that ends with a call of the resolver: its value is
/// the await's. The task goes on in one of the loop's next turns, never inside that call. What init throws leaves the await. Cancelled: see
/// resolver::on_cancel; a value that came all the same is given, and the request waits for the next await (5.5). Throws std::bad_alloc.
template <class T, class F>
detail::callback_request<T, std::decay_t<F>> from_callback(F&& init) {
    static_assert(std::is_invocable_v<std::decay_t<F>&, resolver<T>>, "corun: from_callback<T> takes a function of a corun::resolver<T>");
    return detail::callback_request<T, std::decay_t<F>>(std::decay_t<F>(std::forward<F>(init)));
}

}
