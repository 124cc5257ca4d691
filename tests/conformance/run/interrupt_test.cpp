// interrupt_test.cpp - Ctrl-C. Each case in a child process, where the signal has its default action.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/counting_backend.hpp>
#include <support/os.hpp>
#include <support/say_end.hpp>

#include <csignal>
#include <memory>
#include <string>
#include <thread>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;
using os::raise_signal;
using os::run_in_child;
using os::say;

namespace {

/// Raises SIGINT `times` times when the loop comes to it, while the task that asked stands in its await.
void interrupt_soon(int times = 1) {
    loop::current().call_soon([times] {
        for (int i = 0; i < times; ++i)
            raise_signal(SIGINT);
    });
}

/// Waits for ever, and says how that ended.
task<> wait_and_say(std::string name) {
    const auto end = co_await settled(sleep_for(1h));
    say(name + (end.is_cancelled() ? " cancelled, " : " slept, "));
}

const std::string interrupted_by_sigint = "interrupted by " + std::to_string(SIGINT);

}

TEST_CASE("RUN-14 the first SIGINT cancels main, clean-up runs, and run throws interrupted") {
    const auto child = run_in_child([] {
        say_how_it_leaves([] {
            run([]() -> task<> {
                spawn(wait_and_say, "leftover");
                co_await yield();
                interrupt_soon();
                const auto end = co_await settled(sleep_for(1h));
                say(end.is_cancelled() ? "main cancelled, " : "main slept, ");
                co_await yield();
                end.rethrow();
            });
        });
        say(std::signal(SIGINT, SIG_DFL) == SIG_DFL ? ", restored" : ", not restored");
        return 0;
    });
    CHECK(child.output == "main cancelled, leftover cancelled, " + interrupted_by_sigint + ", restored");
    CHECK(child.code == 0);
}

TEST_CASE("RUN-14 a SIGINT wakes a loop that sleeps, also when another thread of the process gets it") {
    const auto child = run_in_child([] {
        backend_calls calls;
        std::thread other;
        calls.before_endless_wait = [&] {
            if (!other.joinable())
                other = std::thread([] { raise_signal(SIGINT); });
        };
        say_how_it_leaves([&] {
            run(run_options().with(std::make_unique<counting_backend>(calls)), []() -> task<> {
                event never_set;
                co_await never_set.wait();
            });
        });
        other.join();
        return 0;
    });
    CHECK(child.output == interrupted_by_sigint);
}

TEST_CASE("RUN-14 if main swallows the interrupt and returns a value, run returns it") {
    const auto child = run_in_child([] {
        return run([]() -> task<int> {
            interrupt_soon();
            const auto end = co_await settled(sleep_for(1h));
            co_return end.is_cancelled() ? 7 : 8;
        });
    });
    CHECK(child.code == 7);
}

TEST_CASE("RUN-14 the second SIGINT stops the loop where it stands: shut down runs and interrupted leaves") {
    const auto child = run_in_child([] {
        say_how_it_leaves([] {
            run([]() -> task<> {
                interrupt_soon();
                co_await wait_and_say("main");
                interrupt_soon();
                co_await wait_and_say("clean-up");
            });
        });
        return 0;
    });
    CHECK(child.output == "main cancelled, clean-up cancelled, " + interrupted_by_sigint);
}

TEST_CASE("RUN-14 the second SIGINT takes effect between two resumptions, not at the end of the turn") {
    const auto child = run_in_child([] {
        say_how_it_leaves([] {
            run([]() -> task<> {
                const auto interrupts_twice = []() -> task<> {
                    co_await yield();
                    raise_signal(SIGINT);
                    raise_signal(SIGINT);
                    say("goes on, ");
                };
                const auto is_ready_behind = []() -> task<> {
                    const auto end = co_await settled(yield());
                    say(end.is_cancelled() ? "neighbour cancelled, " : "neighbour went on, ");
                };
                spawn(interrupts_twice);
                spawn(is_ready_behind);
                co_await sleep_for(1h);
            });
        });
        return 0;
    });
    CHECK(child.output == "goes on, neighbour cancelled, " + interrupted_by_sigint);
}

TEST_CASE("RUN-14 one SIGINT during shut down is remembered: main's value wins, its exception does not") {
    const auto interrupts_in_clean_up = []() -> task<> {
        const auto end = co_await settled(sleep_for(1h));
        raise_signal(SIGINT);
        co_await sleep_for(1ms);
        say("cleaned up, ");
    };
    const auto returns = run_in_child([&] {
        say_how_it_leaves([&] {
            const int value = run([&]() -> task<int> {
                spawn(interrupts_in_clean_up);
                co_await yield();
                co_return 7;
            });
            say(std::to_string(value) + " ");
        });
        return 0;
    });
    CHECK(returns.output == "cleaned up, 7 returned");

    const auto throws = run_in_child([&] {
        say_how_it_leaves([&] {
            run([&]() -> task<> {
                spawn(interrupts_in_clean_up);
                co_await yield();
                throw std::runtime_error("E");
            });
        });
        return 0;
    });
    CHECK(throws.output == "cleaned up, " + interrupted_by_sigint);
}

TEST_CASE("RUN-14 the second SIGINT during shut down ends it as if its grace were over") {
    const auto child = run_in_child([] {
        say_how_it_leaves([] {
            run(run_options().on_exception([](const exception_report& r) { say(std::string(r.task_name) + " reported, "); }),
                []() -> task<> {
                    const auto swallows = []() -> task<> {
                        struct local {
                            ~local() { say("destroyed, "); }
                        } destroyed_by_force;
                        const auto end = co_await settled(sleep_for(1h));
                        interrupt_soon(2);
                        co_await sleep_for(1h);
                    };
                    auto h = spawn(swallows);
                    h.set_name("deaf");
                    co_await yield();
                });
        });
        return 0;
    });
    INFO(child.output);
    CHECK(child.code == 0);
    CHECK(child.output.find("deaf reported, ") != std::string::npos);
    CHECK(child.output.find("destroyed, ") != std::string::npos);
}

TEST_CASE("RUN-14 the third SIGINT during shut down has the signal's default action") {
    const auto child = run_in_child([] {
        run([]() -> task<> {
            const auto swallows = []() -> task<> {
                const auto end = co_await settled(sleep_for(1h));
                for (int i = 1; i <= 3; ++i) {
                    say(std::to_string(i) + " ");
                    raise_signal(SIGINT);
                }
                say("still there");
            };
            spawn(swallows);
            co_await yield();
        });
        return 0;
    });
    CHECK(child.output == "1 2 3 ");
    CHECK(child.signal == SIGINT);
}

TEST_CASE("RUN-14 a disposition that is not the default one is left alone") {
    const auto child = run_in_child([] {
        std::signal(SIGINT, [](int) { say("own handler, "); });
        say_how_it_leaves([] {
            run([]() -> task<> {
                interrupt_soon();
                co_await sleep_for(10ms);
                say("slept, ");
            });
        });
        return 0;
    });
    CHECK(child.output == "own handler, slept, returned");
}

TEST_CASE("RUN-14 handle_interrupts(false) leaves SIGINT alone") {
    const auto child = run_in_child([] {
        run(run_options().handle_interrupts(false), []() -> task<> {
            interrupt_soon();
            co_await sleep_for(1h);
        });
        return 0;
    });
    CHECK(child.signal == SIGINT);
}

TEST_CASE("RUN-14 a handler that the program sets during run is not replaced at its end") {
    const auto child = run_in_child([] {
        const auto own = [](int) { say("own handler"); };
        run([&]() -> task<> {
            std::signal(SIGINT, own);
            co_return;
        });
        raise_signal(SIGINT);
        return 0;
    });
    CHECK(child.output == "own handler");
}

TEST_CASE("RUN-14 of two runs at once only the first handles interrupts") {
    const auto child = run_in_child([] {
        std::string inner = "not run";
        say_how_it_leaves([&] {
            run([&]() -> task<> {
                const auto second_run = [&] {
                    inner = run([]() -> task<std::string> {
                        interrupt_soon();
                        const auto end = co_await settled(sleep_for(10ms));
                        co_return end.is_cancelled() ? "second cancelled, " : "second slept, ";
                    });
                };
                std::thread(second_run).join();
                const auto end = co_await settled(sleep_for(1h));
                say(inner + (end.is_cancelled() ? "first cancelled, " : "first slept, "));
                end.rethrow();
            });
        });
        return 0;
    });
    CHECK(child.output == "second slept, first cancelled, " + interrupted_by_sigint);
}

TEST_CASE("RUN-14 SIGTERM interrupts if asked for, else it has its default action") {
    const auto asked = run_in_child([] {
        say_how_it_leaves([] {
            run(run_options().stop_on_termination(true), []() -> task<> {
                loop::current().call_soon([] { raise_signal(SIGTERM); });
                co_await sleep_for(1h);
            });
        });
        return 0;
    });
    CHECK(asked.output == "interrupted by " + std::to_string(SIGTERM));

    const auto not_asked = run_in_child([] {
        run([]() -> task<> {
            loop::current().call_soon([] { raise_signal(SIGTERM); });
            co_await sleep_for(1h);
        });
        return 0;
    });
    CHECK(not_asked.signal == SIGTERM);
}

TEST_CASE("RUN-14 run_main answers 128 + the signal, main's int, or prints the exception and answers 1") {
    const auto interrupted_main = run_in_child([] {
        return run_main([]() -> task<> {
            interrupt_soon();
            co_await sleep_for(1h);
        });
    });
    CHECK(interrupted_main.code == 128 + SIGINT);

    const auto returning_main = run_in_child([] { return run_main([]() -> task<int> { co_return 7; }); });
    CHECK(returning_main.code == 7);
    CHECK(returning_main.output.empty());

    const auto throwing_main = run_in_child([] {
        return run_main([]() -> task<> {
            throw std::runtime_error("E");
            co_return;
        });
    });
    CHECK(throwing_main.code == 1);
    CHECK(throwing_main.output.find("E") != std::string::npos);
}

#ifdef SIGQUIT
TEST_CASE("RUN-14 SIGQUIT prints the tree of tasks if that is asked for, and the loop goes on; else it has its default action") {
    const auto asked = run_in_child([] {
        run(run_options().dump_on_quit(true), []() -> task<> {
            for (int i = 0; i < 2; ++i) {
                event never;
                auto waits = spawn([&never]() -> task<> { co_await never.wait(); });
                waits.set_name("waits-in-vain");
                co_await yield();
                // Once: a loop that sleeps is woken by it.
                loop::current().call_soon([] { raise_signal(SIGQUIT); });
                co_await sleep_for(1ms);
                waits.cancel();
                (void)co_await settled(waits);
            }
            say("still alive");
        });
        return 0;
    });
    CHECK(asked.code == 0);
    const auto first = asked.output.find("\"waits-in-vain\" waits for event");
    REQUIRE(first != std::string::npos);
    CHECK(asked.output.find("\"waits-in-vain\" waits for event", first + 1) != std::string::npos);
    CHECK(asked.output.ends_with("still alive"));

    const auto not_asked = run_in_child([] {
        run([]() -> task<> {
            loop::current().call_soon([] { raise_signal(SIGQUIT); });
            co_await sleep_for(1h);
        });
        return 0;
    });
    CHECK(not_asked.signal == SIGQUIT);
}
#endif
