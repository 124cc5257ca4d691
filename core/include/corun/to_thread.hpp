// to_thread.hpp - a call that blocks, made on a thread of the loop's pool (asyncio.to_thread).
#pragma once

#include <corun/detail/frame_pool.hpp>
#include <corun/detail/local_values.hpp>
#include <corun/detail/memory_waiter.hpp>
#include <corun/detail/pool_job.hpp>
#include <corun/detail/request.hpp>
#include <corun/detail/value_slot.hpp>

#include <atomic>
#include <exception>
#include <functional>
#include <new>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace corun {

/// Tells a running job that its task was asked to end. Any thread.
class stop_flag {
public:
    bool stop_requested() const noexcept { return requested_.load(std::memory_order_acquire); }
    void request_stop() noexcept { requested_.store(true, std::memory_order_release); }

private:
    std::atomic<bool> requested_ = false;
};

namespace detail {

class thread_waiter;

/// A job with its answer; made on the loop's thread, performed elsewhere.
struct thread_job : pool_job {
    explicit thread_job(actor a) : pool_job(a, &come_back) {}

    /// Back on the loop's thread: a task that still waits has the answer.
    static void come_back(entry& e, loop*) noexcept;

    thread_waiter* waiting = nullptr;
    stop_flag stop;
    local_slot locals = inherited_values();   // as asyncio's: a copy of the task's
    std::exception_ptr error;
};

/// Waits for a thread_job; a request ends a job that has not begun, and is remembered while one runs (5.7).
class thread_waiter : public waiter {
public:
    interruption interrupt(task_state*& next) noexcept override;
    std::string_view what() const noexcept override { return "thread"; }

    /// True while a pool thread may run the call: what it refers to must stay.
    bool is_lent() const noexcept override { return job_ && job_->waiting && !job_->has_ended.load(std::memory_order_acquire); }

protected:
    explicit thread_waiter(bool abandons) noexcept : abandons_(abandons) {}
    ~thread_waiter() { let_go(); }

    void start(task_state& t, thread_job& job);
    void check_end();
    thread_job& job() noexcept { return *job_; }

private:
    friend thread_job;
    void let_go() noexcept;

    thread_job* job_ = nullptr;
    bool abandons_;
};

template <class F, class... Args>
struct thread_call {
    static constexpr bool takes_flag = std::is_invocable_v<F, const stop_flag&, Args...>;
    static auto type_of() {
        if constexpr (takes_flag)
            return std::type_identity<std::invoke_result_t<F, const stop_flag&, Args...>>{};
        else
            return std::type_identity<std::invoke_result_t<F, Args...>>{};
    }
    using value = typename decltype(type_of())::type;

    struct block final : thread_job {
        explicit block(std::tuple<F, Args...>&& c) : thread_job(&act_on), call(std::move(c)) {}
        ~block() {
            if (has_value)
                slot.destroy();
        }

        static void act_on(pool_job& j, verb v) noexcept {
            auto& self = static_cast<block&>(j);
            if (v == verb::perform) {
                self.perform();
            } else {
                self.~block();
                free_block(&self, sizeof(block));
            }
        }
        void perform() noexcept {
            const values_in_use ours(locals);
            try {
                std::apply([this](F& f, Args&... args) { invoke(f, args...); }, call);
                has_value = true;
            } catch (...) {
                error = std::current_exception();
            }
        }
        void invoke(F& f, Args&... args) {
            const auto made = [&]() -> value {
                if constexpr (takes_flag)
                    return std::invoke(std::move(f), std::as_const(stop), std::move(args)...);
                else
                    return std::invoke(std::move(f), std::move(args)...);
            };
            if constexpr (std::is_void_v<value>)
                made();
            else
                slot.emplace(made());
        }

        std::tuple<F, Args...> call;
        [[no_unique_address]] value_slot<value> slot;
        bool has_value = false;
    };
};

template <class F, class... Args>
class thread_awaiter final : public thread_waiter {
    using call = thread_call<F, Args...>;
    using block = typename call::block;
    static_assert(alignof(block) <= 16, "corun: what to_thread() is given must not be over-aligned");

public:
    thread_awaiter(std::tuple<F, Args...>&& c, bool abandons) : thread_waiter(abandons), call_(std::move(c)) {}

    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> h, await_place where = await_place::current()) {
        task_state& t = suspending_task(h, where);
        if (!begin_interrupted(t)) {
            void* const memory = allocate_block(sizeof(block));
            block* made = nullptr;
            try {
                made = ::new (memory) block(std::move(call_));
            } catch (...) {
                free_block(memory, sizeof(block));
                throw;
            }
            start(t, *made);
        }
    }
    typename call::value await_resume() {
        check_end();
        return static_cast<block&>(job()).slot.take();
    }

private:
    std::tuple<F, Args...> call_;
};

template <class F, class... Args>
using thread_request = request<thread_awaiter<F, Args...>, std::tuple<F, Args...>, bool>;

}

/// Calls `f(args...)` on a pool thread and gives its value, or rethrows what it threw; the call is made when awaited and owns
/// `f` and `args`. If `f` takes a `const stop_flag&` first, that is set when the task is asked to end. Cancelled: a call not
/// yet begun is dropped; a running one is waited for, as its captures may be the caller's: its value comes, and the request
/// at the next suspension. Throws std::system_error if no thread can be made.
template <class F, class... Args>
auto to_thread(F&& f, Args&&... args) {
    using call = std::tuple<std::decay_t<F>, std::decay_t<Args>...>;
    return detail::thread_request<std::decay_t<F>, std::decay_t<Args>...>(call(std::forward<F>(f), std::forward<Args>(args)...), false);
}

/// `co_await abandon(to_thread(f))`: a request ends the wait at once, also while the call runs; its value is then dropped.
/// For calls that refer to nothing of the caller's.
template <class F, class... Args>
detail::thread_request<F, Args...> abandon(detail::thread_request<F, Args...>&& request) {
    std::get<bool>(request.stored) = true;
    return std::move(request);
}

}
