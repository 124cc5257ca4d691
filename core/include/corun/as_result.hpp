// as_result.hpp - I/O errors as values: `auto n = co_await as_result(stream.read(b))`.
#pragma once

#include <corun/detail/awaitable.hpp>
#include <corun/detail/promise.hpp>
#include <corun/detail/request.hpp>
#include <corun/result.hpp>

#include <coroutine>
#include <system_error>
#include <utility>

namespace corun {

namespace detail {

template <class A>
class as_result_awaiter {
    using inner = awaiter_of<A>;
    using value = await_result<A>;

public:
    explicit as_result_awaiter(A&& awaitable) : inner_(get_awaiter(std::forward<A>(awaitable))) {}
    as_result_awaiter(const as_result_awaiter&) = delete;

    bool await_ready() { return inner_.await_ready(); }
    template <class Promise>
    decltype(auto) await_suspend(std::coroutine_handle<Promise> h, await_place where = await_place::current()) {
        return suspend_inner(inner_, h, where);
    }
    result<value> await_resume() {
        if constexpr (requires { inner_.answer(); }) {
            return inner_.answer();   // no exception is thrown for an I/O error
        } else {
            try {
                if constexpr (std::is_void_v<value>) {
                    inner_.await_resume();
                    return {};
                } else {
                    return inner_.await_resume();
                }
            } catch (const std::system_error& e) {
                return e.code();
            }
        }
    }

private:
    inner inner_;   // what it was made of lives in the request, to the end of the full expression
};

template <class A>
using as_result_request = request<as_result_awaiter<A>, A>;

}

/// `co_await as_result(stream.read(b))` gives a result<T>: the value, or the error code of what would be thrown as
/// std::system_error. `cancelled` and misuse are thrown as ever (8.4).
template <detail::awaitable A>
detail::as_result_request<A> as_result(A&& awaitable) {
    return detail::as_result_request<A>(std::forward<A>(awaitable));
}

}
