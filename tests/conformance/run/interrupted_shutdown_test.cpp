// interrupted_shutdown_test.cpp - the request to terminate, while left-over tasks clean up.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/os.hpp>
#include <support/say_end.hpp>

#include <csignal>
#include <stdexcept>
#include <string>
#include <utility>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;
using os::raise_signal;
using os::run_in_child;
using os::say;

namespace {

/// Runs a main that fails and leaves three tasks behind; the second one's clean-up is met by SIGTERM `times` times. Says what happened.
void end_beside_signals(run_options options, int times) {
    const auto cleans_up = [](int number, int signals) -> task<> {
        const auto end = co_await settled(sleep_for(1h));
        for (int i = 0; i < signals; ++i)
            raise_signal(SIGTERM);
        co_await sleep_for(1ms);
        say(std::to_string(number) + " cleaned up, ");
    };
    say_how_it_leaves([&] {
        run(std::move(options), [&]() -> task<> {
            for (int i = 1; i <= 3; ++i)
                spawn(cleans_up, i, i == 2 ? times : 0);
            co_await yield();
            throw std::runtime_error("E");
        });
    });
}

const std::string interrupted_by_sigterm = "interrupted by " + std::to_string(SIGTERM);

}

TEST_CASE("SHD-11 SIGTERM while left-over tasks are cancelled: all of them clean up, and then the signal is told") {
    const auto undisturbed = run_in_child([] {
        end_beside_signals(run_options().stop_on_termination(true), 0);
        return 0;
    });
    CHECK(undisturbed.output == "1 cleaned up, 2 cleaned up, 3 cleaned up, E");

    const auto once = run_in_child([] {
        end_beside_signals(run_options().stop_on_termination(true), 1);
        say(std::signal(SIGTERM, SIG_DFL) == SIG_DFL ? ", restored" : ", not restored");
        return 0;
    });
    CHECK(once.output == "1 cleaned up, 2 cleaned up, 3 cleaned up, " + interrupted_by_sigterm + ", restored");
    CHECK(once.code == 0);
}

TEST_CASE("SHD-11 the second SIGTERM during shut down ends it as if its grace were over, and the run ends") {
    const auto child = run_in_child([] {
        const auto options = [] {
            return run_options().stop_on_termination(true).on_exception(
                [](const exception_report& r) { say("task " + std::to_string(r.task_id) + " reported, "); });
        };
        end_beside_signals(options(), 2);
        return 0;
    });
    INFO(child.output);
    CHECK(child.code == 0);
    CHECK(child.output.find(" reported, ") != std::string::npos);
    CHECK(child.output.find("cleaned up") == std::string::npos);
    CHECK(child.output.find(interrupted_by_sigterm) != std::string::npos);
}

TEST_CASE("SHD-11 SIGTERM that nobody asked for has its default action, during shut down too") {
    const auto child = run_in_child([] {
        end_beside_signals(run_options(), 1);
        return 0;
    });
    CHECK(child.signal == SIGTERM);
    CHECK(child.output.empty());
}

TEST_CASE("RUN-34 one interrupt in main, then two in shut down, whose left-over swallows each request: the second of shut down ends it") {
    for (const int in_shut_down : {1, 2}) {
        const auto child = run_in_child([in_shut_down] {
            say_how_it_leaves([in_shut_down] {
                auto options = run_options().stop_on_termination(true).on_exception(
                    [](const exception_report& r) { say("task " + std::to_string(r.task_id) + " reported, "); });
                const auto left_over = [in_shut_down]() -> task<> {
                    const auto end = co_await settled(sleep_for(1h));
                    say("left-over asked, ");
                    raise_signal(SIGTERM);
                    co_await sleep_for(1ms);
                    if (in_shut_down == 2) {
                        raise_signal(SIGTERM);
                        co_await sleep_for(1h);
                    }
                    say("left-over ended, ");
                };
                run(std::move(options), [&]() -> task<> {
                    spawn(left_over);
                    co_await yield();
                    raise_signal(SIGTERM);
                    const auto end = co_await settled(sleep_for(1h));
                    say("main asked, ");
                    end.rethrow();
                });
            });
            return 0;
        });
        INFO(child.output);
        const std::string last = in_shut_down == 1 ? "left-over ended, " : "task 2 reported, ";
        CHECK(child.output == "main asked, left-over asked, " + last + interrupted_by_sigterm);
        CHECK(child.code == 0);
    }
}
