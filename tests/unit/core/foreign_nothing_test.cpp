// foreign_nothing_test.cpp - another library's awaitables that give nothing but their end.
#include <corun/corun.hpp>
#include <support/catch.hpp>

#include <coroutine>
#include <type_traits>

using namespace corun;

namespace {

struct signal {
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) const noexcept { *place = h; }
    void await_resume() const noexcept {}

    std::coroutine_handle<>* place;
};

}

TEST_CASE("foreign() of what gives nothing ends when that has ended, as a value") {
    run([]() -> task<> {
        std::coroutine_handle<> theirs;
        static_assert(std::is_void_v<decltype(foreign(signal{&theirs}).operator co_await().await_resume())>);
        const auto waits = [&theirs]() -> task<> { co_await foreign(signal{&theirs}); };
        auto waiting = spawn(waits);
        co_await yield();
        co_await yield();
        CHECK(theirs);
        CHECK_FALSE(waiting.is_done());
        theirs.resume();
        const auto left = co_await settled(waiting);
        CHECK(left.has_value());
    });
}
