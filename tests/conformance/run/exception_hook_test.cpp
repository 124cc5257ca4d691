// exception_hook_test.cpp - who hears of exceptions that nobody else will see.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/os.hpp>

#include <stdexcept>

using namespace corun;
using namespace testing;

TEST_CASE("RUN-18 a hook that throws falls back to the default one, and the loop goes on") {
    const auto child = os::run_in_child([] {
        run(run_options().on_exception([](const exception_report&) { throw std::runtime_error("from the hook"); }), []() -> task<> {
            loop::current().call_soon([] { throw std::runtime_error("from the callback"); });
            loop::current().call_soon([] { os::say("next callback "); });
            co_await yield();
            co_await yield();
            os::say("main went on");
        });
        return 0;
    });
    INFO(child.output);
    CHECK(child.code == 0);
    const auto callback = child.output.find("from the callback");
    const auto hook = child.output.find("from the hook");
    const auto next = child.output.find("next callback main went on");
    CHECK(callback != std::string::npos);
    CHECK(hook != std::string::npos);
    CHECK(next != std::string::npos);
}

TEST_CASE("RUN-18 the default hook prints what happened to standard error, a hook that is set again gets the next") {
    const auto child = os::run_in_child([] {
        run([]() -> task<> {
            loop::current().call_soon([] { throw std::runtime_error("first"); });
            co_await yield();
            loop::current().set_exception_hook([](const exception_report&) { os::say("heard"); });
            loop::current().call_soon([] { throw std::runtime_error("second"); });
            co_await yield();
        });
        return 0;
    });
    CHECK(child.output.find("first") != std::string::npos);
    CHECK(child.output.find("second") == std::string::npos);
    CHECK(child.output.find("heard") != std::string::npos);
}
