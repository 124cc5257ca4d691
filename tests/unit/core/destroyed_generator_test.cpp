// destroyed_generator_test.cpp - a generator that goes while a task waits in it ends the process.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/os.hpp>

#include <csignal>
#include <optional>

using namespace corun;
using namespace testing;

TEST_CASE("a generator that is destroyed while a task waits for its next value ends the process, with a message") {
    const auto child = os::run_in_child([] {
        run([]() -> task<> {
            event never;
            std::optional<generator<int>> numbers([](event& e) -> generator<int> {
                co_await e.wait();
                co_yield 1;
            }(never));
            auto waiting = spawn([&numbers]() -> task<> { (void)co_await numbers->next(); });
            co_await yield();
            numbers.reset();
            waiting.cancel();
        });
        return 0;
    });
    INFO(child.output);
    CHECK(child.signal == SIGABRT);
    CHECK(child.output.find("a generator is destroyed while a task waits for its next value") != std::string::npos);
}
