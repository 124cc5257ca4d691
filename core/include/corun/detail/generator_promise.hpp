// generator_promise.hpp - the part of a generator that doesn't know its values; the loop knows the generators that have begun.
#pragma once

#include <corun/detail/promise.hpp>

#include <coroutine>
#include <cstdint>
#include <source_location>
#include <utility>

namespace corun {

template <class T>
class task;

namespace detail {

struct generator_promise : promise_base, link<generator_tag> {
    explicit generator_promise(std::source_location made) noexcept : promise_base(made) {}
    ~generator_promise() {
        if (link<generator_tag>::is_linked())
            link<generator_tag>::unlink();
    }

    /// Hands over to the task that waits for the value; on the way back throws if the generator is to end.
    class yield_awaiter {
    public:
        explicit yield_awaiter(generator_promise& p) noexcept : promise_(&p) {}
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        transfer_result await_suspend(std::coroutine_handle<Promise>, await_place where = await_place::current()) noexcept {
            promise_->where = where;
            promise_->place = nullptr;
            return transfer_to(std::exchange(promise_->continuation, nullptr));
        }
        void await_resume() const {
            if (promise_->closing)
                throw_exit();
        }

    private:
        generator_promise* promise_;
    };

    void return_void() noexcept { end = ending::value; }
    void unhandled_exception() noexcept;

    /// True while somebody waits for its next value or its end.
    bool is_running() const noexcept { return continuation && end == ending::none; }
    bool has_ended() const noexcept { return end != ending::none; }

    /// Before it goes on: makes it known to the current loop. Throws usage_error if it runs, or belongs to another loop.
    void begin();

    /// Goes on, on behalf of `asking`.
    transfer_result go_on(std::coroutine_handle<> asking) noexcept {
        continuation = asking;
        place = holder;
        return transfer_to(std::coroutine_handle<generator_promise>::from_promise(*this));
    }

    /// Throws if it yielded when it was to end.
    void check_closed() const;

    [[noreturn]] static void throw_exit();

    std::coroutine_handle<>* holder = nullptr;   // where the generator keeps its handle
    std::uint64_t loop_id = 0;                   // of the loop that it began on
    bool closing = false;
};

/// The promise behind a generator's handle.
inline generator_promise& generator_promise_of(std::coroutine_handle<> h) noexcept {
    return static_cast<generator_promise&>(promise_of(h));
}

/// Waits until the generator has ended, after the co_yield at which it stands has thrown `generator_exit`.
class generator_close_awaiter {
public:
    explicit generator_close_awaiter(std::coroutine_handle<>& holder) noexcept : holder_(&holder) {}

    bool await_ready() const;
    template <class Promise>
    transfer_result await_suspend(std::coroutine_handle<Promise> h, await_place where = await_place::current()) noexcept {
        check_awaiting<Promise>();
        h.promise().where = where;
        generator_promise& p = generator_promise_of(*holder_);
        p.closing = true;
        return p.go_on(h);
    }
    void await_resume() const;

private:
    std::coroutine_handle<>* holder_;
};

/// Closes a generator that is left over at the end of a run; its holder finds it ended.
task<void> close_left_over(generator_promise&);

/// Destroys a generator's frame; ends the process if somebody waits in it.
void destroy_generator(std::coroutine_handle<> frame) noexcept;

}

}
