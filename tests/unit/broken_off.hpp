// broken_off.hpp - an await that has begun to wait and then throws, as an awaiter that wraps one of corun's may do.
#pragma once

#include <coroutine>
#include <source_location>
#include <stdexcept>
#include <utility>

namespace testing {

/// `co_await broken_off(e.wait())`: the task stands at the await when that throws std::runtime_error("broken off"), and goes on at once.
template <class Awaiter>
class broken_off {
public:
    template <class Request>
        requires requires(Request&& r) { std::move(r).operator co_await(); }
    explicit broken_off(Request&& r) : inner_(std::move(r).operator co_await()) {}
    explicit broken_off(Awaiter&& a) : inner_(std::move(a)) {}

    bool await_ready() { return inner_.await_ready(); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> h, std::source_location where = std::source_location::current()) {
        inner_.await_suspend(h, where);
        throw std::runtime_error("broken off");
    }
    void await_resume() {}

private:
    Awaiter inner_;
};

template <class Request>
    requires requires(Request&& r) { std::move(r).operator co_await(); }
broken_off(Request&&) -> broken_off<decltype(std::declval<Request>().operator co_await())>;
template <class Awaiter>
broken_off(Awaiter&&) -> broken_off<Awaiter>;

}
