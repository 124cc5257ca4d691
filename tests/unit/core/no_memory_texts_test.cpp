// no_memory_texts_test.cpp - what is to be told where there is no memory for the words: it is told all the same, in fewer.
#include <corun/corun.hpp>
#include <corun/guest.hpp>
#include <corun/sim.hpp>
#include <support/allocations.hpp>
#include <support/catch.hpp>
#include <support/hook_log.hpp>
#include <support/os.hpp>

#include <chrono>
#include <csignal>
#include <exception>
#include <functional>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

const std::string long_text = "a text that is longer than what a string holds in itself";

task<> fails() {
    co_await yield();
    throw std::runtime_error("E");
}

/// What a child writes; one that goes on to its end answers 7.
os::child_end told_by_child(const std::function<int()>& f) {
    const auto child = os::run_in_child(f);
    UNSCOPED_INFO(child.output);
    return child;
}

}

TEST_CASE("RES-47 without memory for its text, an exception that nobody else will see is still told of, and the loop goes on") {
    if (!allocations_are_counted)
        return;
    const auto child = told_by_child([] {
        std::optional<failing_allocation> refused;
        return run([&]() -> task<int> {
            loop::current().call_soon([&refused] {
                refused.emplace(1);
                throw 1;
            });
            co_await yield();
            co_await yield();
            co_return refused->has_failed() ? 7 : 1;
        });
    });
    CHECK(child.code == 7);
    CHECK(child.output == "corun: an exception nobody else will see, and no memory to print it\n");
}

TEST_CASE("RES-47 without memory for the name of a task that failed, the hook is told what there is no memory for") {
    if (!allocations_are_counted)
        return;
    hook_log log;
    run(run_options().on_exception(log.hook()), []() -> task<> {
        auto t = spawn(fails());
        t.set_name(long_text);
        co_await wait(t);
        const failing_allocation refused(1);
        t = {};
        CHECK(refused.has_failed());
    });
    REQUIRE(log.size() == 1);
    CHECK(log.reports()[0].message == "a task failed and nobody awaited it");
    CHECK(log.reports()[0].what == text_of(std::make_exception_ptr(std::bad_alloc())));
    CHECK(log.reports()[0].task_name.empty());
}

TEST_CASE("RES-47 without memory for the tree of tasks, SIGQUIT prints that, and the loop goes on") {
    if (!allocations_are_counted)
        return;
    const auto child = told_by_child([] {
        return run(run_options().dump_on_quit(true), []() -> task<int> {
            std::optional<failing_allocation> refused;
            loop::current().call_soon([&refused] {
                refused.emplace(1);
                os::raise_signal(SIGQUIT);
            });
            co_await yield();
            co_await yield();
            co_return refused->has_failed() ? 7 : 1;
        });
    });
    CHECK(child.code == 7);
    CHECK(child.output == "corun: no memory to print the tasks\n");
}

TEST_CASE("RES-47 without memory for its tasks, a deadlock is found all the same, and called so") {
    if (!allocations_are_counted)
        return;
    std::optional<failing_allocation> refused;
    std::string told;
    try {
        run(run_options().with(make_sim()), [&refused]() -> task<> {
            event never;
            refused.emplace(1);
            co_await never.wait();
        });
    } catch (const deadlock& e) {
        told = e.what();
    }
    CHECK(refused->has_failed());
    CHECK(told == "deadlock");
}

TEST_CASE("RES-47 without memory for its text, an exception that ends main is told of, and the program's code is 1") {
    if (!allocations_are_counted)
        return;
    const auto child = told_by_child([] {
        std::optional<failing_allocation> refused;
        const int code = run_main([&refused]() -> task<> {
            struct at_end : std::runtime_error {
                explicit at_end(std::optional<failing_allocation>& r) : std::runtime_error(long_text), to_refuse(r) {}
                const char* what() const noexcept override {
                    to_refuse.emplace(1);   // its copy is what there is no memory for
                    return std::runtime_error::what();
                }
                std::optional<failing_allocation>& to_refuse;
            };
            co_await yield();
            throw at_end(refused);
        });
        return refused && refused->has_failed() ? code : 99;
    });
    CHECK(child.code == 1);
    CHECK(child.output == "corun: main ended with an exception, and no memory to print it\n");
}

TEST_CASE("RES-47 without memory for its tasks, a guest that is destroyed before its run is over says so and ends the program") {
    if (!allocations_are_counted)
        return;
    const auto child = told_by_child([] {
        std::optional<failing_allocation> refused;
        guest g;
        g.start([]() -> task<> { co_await sleep_for(1h); }, [](outcome<void>) {});
        refused.emplace(1);
        return 0;
    });
    CHECK(child.signal == SIGABRT);
    CHECK(child.output.find("corun: a guest was destroyed before its run was over") == 0);
    CHECK(child.output.find("(no memory to print its tasks)\n") != std::string::npos);
}
