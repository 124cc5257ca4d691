// forked_child_test.cpp - a fork in the middle of things: the child's part of the parent's loop comes to an end and touches nothing.
#include <corun/corun.hpp>
#include <corun/guest.hpp>
#include <support/catch.hpp>
#include <support/os.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

int code_of(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return status >> 8;
}

std::string errc_of_run(const std::function<void()>& f) {
    try {
        f();
    } catch (const usage_error& e) {
        return std::string(to_string(e.code()));
    }
    return "none";
}

}

TEST_CASE("In a forked child nothing can be registered with a task that had ended: closed_loop") {
    const auto child = os::run_in_child([] {
        return run([]() -> task<int> {
            auto ended = spawn([]() -> task<> { co_return; });
            co_await ended;
            const pid_t forked = ::fork();
            if (forked == 0) {
                const std::string said = errc_of_run([&ended] { ended.on_done([] {}); });
                ::_exit(said == "closed_loop" ? 5 : 1);
            }
            co_return code_of(forked);
        });
    });
    CHECK(child.code == 5);
}

TEST_CASE("A fork in the hook that hears of shut down's last failure: what stood ready is not dropped in the child, whose run() says "
          "closed_loop") {
    const auto program = os::run_in_child([] {
        pid_t child = -1;
        int told = 0;
        int dropped = 0;
        const auto hook = [&](const exception_report&) {
            ++told;
            child = ::fork();
        };
        const std::string said = errc_of_run([&] {
            run(run_options().on_exception(hook), [&dropped]() -> task<> {
                spawn([&dropped]() -> task<> {
                    (void)co_await settled(sleep_for(1h));
                    loop::current().call_soon([held = std::shared_ptr<int>(&dropped, [](int* count) { ++*count; })] {});
                    throw std::runtime_error("E");
                });
                co_await yield();
            });
        });
        if (child == 0)
            ::_exit(said == "closed_loop" && dropped == 0 ? 5 : 1);
        return told == 1 && said == "none" && dropped == 1 && code_of(child) == 5 ? 7 : 2;
    });
    CHECK(program.code == 7);
}

TEST_CASE("A fork within drain(): the child's comes back at once, as its part of the guest is over; the parent's ends the guest") {
    const auto program = os::run_in_child([] {
        pid_t child = -1;
        auto* const g = new guest;   // the child leaves it behind
        g->attach({[](void*) noexcept {}, nullptr});
        g->start(
            [&child]() -> task<> {
                co_await yield();
                child = ::fork();
                co_await sleep_for(1ms);
            },
            [](outcome<void>) {});
        const bool is_over = g->drain(1h);
        if (child == 0)
            ::_exit(is_over ? 5 : 1);
        const int code = code_of(child);
        g->detach();
        delete g;
        return is_over && code == 5 ? 7 : 2;
    });
    CHECK(program.code == 7);
}
