// foreign.hpp - awaiting what another coroutine library gives.
#pragma once

#include <corun/detail/awaitable.hpp>
#include <corun/detail/frame_pool.hpp>
#include <corun/detail/value_slot.hpp>
#include <corun/from_callback.hpp>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>

namespace corun {

namespace detail {

/// The coroutine that another library resumes in the task's place: it runs at once, goes when it has ended, and owns what it awaits. Its
/// frame is a block of its own, so that it may outlive the task.
struct foreign_frame {
    struct promise_type {
        static void* operator new(std::size_t size) { return allocate_block(size); }
        static void operator delete(void* frame, std::size_t size) noexcept { free_block(frame, size); }

        foreign_frame get_return_object() const noexcept { return {}; }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }   // all is caught in it
    };
};

/// A value while it is on its way from the other library to the resolver.
template <class T>
struct foreign_value {
    foreign_value() = default;
    foreign_value(const foreign_value&) = delete;
    ~foreign_value() {
        if (is_there)
            slot.destroy();
    }
    void answer(resolver<T>& r) {
        if constexpr (std::is_void_v<T>)
            r.set_value();
        else
            r.set_value(slot.take());
    }

    value_slot<T> slot;
    bool is_there = false;
};

/// Awaits on behalf of a task and answers its resolver, on whichever thread it was resumed. What was awaited is gone by then: it may refer
/// to what is the task's.
template <class T, class A>
foreign_frame await_foreign(A& given, resolver<T> answer) {
    foreign_value<T> value;
    std::exception_ptr error;
    try {
        A own(std::forward<A>(given));
        decltype(auto) awaiter = get_awaiter(std::forward<A>(own));   // by name: GCC 12 would move one that is awaited as an rvalue
        if constexpr (std::is_void_v<T>)
            co_await awaiter;
        else
            value.slot.emplace(co_await awaiter);
        value.is_there = true;
    } catch (const cancelled&) {
        error = std::make_exception_ptr(task_cancelled());   // somebody else's: no request to this task
    } catch (...) {
        error = std::current_exception();
    }
    if (error)
        answer.set_error(std::move(error));
    else
        value.answer(answer);
}

/// What the await gives: references stay what they are, values move.
template <class R>
struct foreign_result {
    using type = std::remove_cv_t<R>;
};
template <class R>
struct foreign_result<R&> {
    using type = R&;
};
template <class R>
struct foreign_result<R&&> {
    using type = std::remove_cv_t<R>;
};

template <class A>
using foreign_value_of = typename foreign_result<await_result<A>>::type;

template <class A>
struct foreign_start {
    void operator()(resolver<foreign_value_of<A>> answer) {
        if (detaches)
            answer.detach_on_cancel();
        await_foreign<foreign_value_of<A>, A>(awaitable, std::move(answer));
    }

    A awaitable;
    bool detaches = false;
};

template <class A>
using foreign_request = callback_request<foreign_value_of<A>, foreign_start<A>>;

}

/// `co_await foreign(awaitable)`: awaits what another coroutine library gives, in a small coroutine of its own, and gives its value, or
/// rethrows its exception (`cancelled` as `task_cancelled`). Any thread may resume it, also before the other side's await_suspend() has
/// returned; the task goes on in one of its loop's next turns. An rvalue is moved into that coroutine and gone before the task goes on; an
/// lvalue is referred to. Cancelled: the answer is waited for, as what is under way may use what is the task's: a value is given, and the
/// request waits for the next await (5.5); abandon() says otherwise. One that is never resumed is never given back: shut down waits for
/// it, unless run_options::shutdown_grace bounds that. Destroyed instead of resumed: broken_callback.
template <class A>
    requires detail::awaitable<A>
detail::foreign_request<A> foreign(A&& awaitable) {
    return detail::foreign_request<A>({std::forward<A>(awaitable)});
}

/// `co_await abandon(foreign(awaitable))`: a request ends the wait at once; the other library's operation goes on in the coroutine that
/// owns it, and its answer is dropped. For operations that refer to nothing of the caller's: takes an rvalue.
template <class A>
detail::foreign_request<A> abandon(detail::foreign_request<A>&& request) {
    static_assert(!std::is_lvalue_reference_v<A>, "corun: abandon(foreign(x)) must own what it leaves running: foreign(std::move(x))");
    std::get<0>(request.stored).detaches = true;
    return std::move(request);
}

}
