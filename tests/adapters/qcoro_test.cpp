// qcoro_test.cpp - QCoro's tasks, which Qt's programs are written in, awaited in corun's by foreign().
#include <corun/corun.hpp>
#include <support/catch.hpp>

#include <coroutine>
#include <stdexcept>
#include <string>
#include <thread>

#include <QCoro/QCoroTask>

using namespace corun;

namespace {

/// Stands for a signal of Qt's: hands out the handle of what awaits it.
struct signal_awaiter {
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) const noexcept { *to = h; }
    void await_resume() const noexcept {}

    std::coroutine_handle<>* to;
};

QCoro::Task<std::string> answer_after(std::coroutine_handle<>* signal) {
    co_await signal_awaiter{signal};
    co_return "an answer";
}

QCoro::Task<> fail_after(std::coroutine_handle<>* signal) {
    co_await signal_awaiter{signal};
    throw std::runtime_error("no answer");
}

QCoro::Task<int> answer_at_once() { co_return 42; }

}

TEST_CASE("QCORO-01 foreign() awaits a QCoro task: its value, its exception, one that has ended already, one that another thread ends") {
    run([]() -> task<> {
        std::coroutine_handle<> signal;
        auto waits = spawn([&]() -> task<std::string> { co_return co_await foreign(answer_after(&signal)); });
        co_await yield();
        CHECK_FALSE(waits.is_done());
        signal.resume();
        const std::string got = co_await waits;
        CHECK(got == "an answer");

        auto fails = spawn([&]() -> task<> { co_await foreign(fail_after(&signal)); });
        co_await yield();
        signal.resume();
        const auto left = co_await settled(fails);
        CHECK_THROWS_AS(std::rethrow_exception(left.error()), std::runtime_error);

        const int at_once = co_await foreign(answer_at_once());
        CHECK(at_once == 42);

        auto elsewhere = spawn([&]() -> task<std::string> { co_return co_await foreign(answer_after(&signal)); });
        co_await yield();
        std::thread other([signal] { signal.resume(); });
        const std::string from_there = co_await elsewhere;
        other.join();
        CHECK(from_there == "an answer");
    });
}
