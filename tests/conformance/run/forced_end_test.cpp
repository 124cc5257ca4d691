// forced_end_test.cpp - frames that are destroyed when shut down's grace is over, and what was on its way to them.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/hook_log.hpp>
#include <support/lifetimes.hpp>
#include <support/os.hpp>
#include <support/semaphore.hpp>
#include <support/trace.hpp>
#include <support/virtual_time.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

struct notes_end {
    notes_end(trace& t, std::string what) : log(t), text(std::move(what)) {}
    notes_end(const notes_end&) = delete;
    ~notes_end() { log.note(text); }
    trace& log;
    std::string text;
};

/// Runs main in virtual time with a grace of 10 ms. In the turn in which that ends, before it ends, `last` is called.
template <class Last, class Main>
void end_by_force(exception_hook hook, Last last, Main main, duration pool_grace = 5min) {
    auto engine = std::make_unique<virtual_time_backend>();
    virtual_time_backend& clock = *engine;
    run(run_options().with(std::move(engine)).shutdown_grace(10ms).pool_grace(pool_grace).real_threads(true).on_exception(std::move(hook)),
        [&]() -> task<> {
            // Both are due in the turn after this.
            loop::current().call_after(1ms, [&clock] { clock.jump_to(clock.now() + 1h); });
            loop::current().call_after(2ms, last);
            co_await main();
        });
}

}

TEST_CASE("SHD-31 frames that are destroyed at the end of the grace go from the innermost: a group's children before its owner") {
    trace t;
    hook_log log;
    run(virtual_time().on_exception(log.hook()).shutdown_grace(10ms), [&t]() -> task<> {
        const auto deaf = [&t](std::string name) -> task<> {
            const notes_end local(t, name);
            (void)co_await settled(sleep_for(1h));
            co_await sleep_for(1h);
        };
        spawn([&t, deaf]() -> task<> {
            const notes_end local(t, "owner");
            co_await with_task_group([&](task_group& g) -> task<> {
                g.spawn(deaf, "child1");
                g.spawn(deaf, "child2");
                co_return;
            });
        });
        co_await yield();
        spawn(deaf, "other");
        co_await yield();
    });
    CHECK(t.joined() == "other child2 child1 owner");
    CHECK(log.size() == 4);
}

TEST_CASE("TSK-54 tasks that stand ready when they are destroyed are not resumed, whether they had begun or not, in a group or not") {
    for (const bool in_group : {false, true}) {
        lifetimes l;
        hook_log log;
        event made_ready;
        task_group* group = nullptr;
        const auto never_begins = [](counted) -> task<> {
            FAIL_CHECK("begun");
            co_return;
        };
        end_by_force(
            log.hook(),
            [&] {
                made_ready.set();
                if (in_group)
                    group->spawn(never_begins, counted(l));
                else
                    spawn(never_begins, counted(l));
            },
            [&]() -> task<> {
                const auto deaf = [&]() -> task<> {
                    const counted local(l);
                    while (!made_ready.is_set())
                        (void)co_await settled(made_ready.wait());
                    FAIL_CHECK("resumed");
                };
                spawn(deaf);
                spawn([&]() -> task<> {
                    co_await with_task_group([&](task_group& g) -> task<> {
                        group = &g;
                        while (!made_ready.is_set())
                            (void)co_await settled(made_ready.wait());
                    });
                });
                co_await yield();
                co_await yield();
            });
        CHECK(l.made > 2);
        CHECK(l.alive() == 0);
        CHECK(log.size() == 3);
    }
}

TEST_CASE("SHD-39 a post that comes in the turn in which the grace ends is dropped with its captures") {
    lifetimes l;
    testing::semaphore begun;
    testing::semaphore gate;
    testing::semaphore over;
    bool ran = false;
    bool posted = false;
    end_by_force(
        nullptr,
        [&] {
            const loop_ref ref = loop::current().ref();
            posted = ref.post([&ran, own = counted(l)] { ran = true; });
        },
        [&]() -> task<> {
            // No task is left: it is the pool's thread that shut down waits for.
            auto calls = spawn([&]() -> task<> {
                co_await abandon(to_thread([&begun, &gate, &over] {
                    begun.release();
                    gate.acquire();
                    over.release();
                }));
            });
            co_await yield();
            begun.acquire();
            calls.cancel();
            (void)co_await settled(calls);
        },
        20ms);
    CHECK(l.alive() == 0);
    CHECK_FALSE((posted && ran));
    gate.release();
    over.acquire();
}

TEST_CASE("SHD-33 while frames are destroyed by force, a post is refused") {
    struct posts_at_end {
        explicit posts_at_end(std::optional<bool>& p) : posted(p), ref(loop::current().ref()) {}
        posts_at_end(const posts_at_end&) = delete;
        ~posts_at_end() {
            posted = ref.post([] {});
        }
        std::optional<bool>& posted;
        loop_ref ref;
    };
    std::optional<bool> posted;
    hook_log log;
    run(virtual_time().on_exception(log.hook()).shutdown_grace(10ms), [&posted]() -> task<> {
        spawn([&posted]() -> task<> {
            const posts_at_end local(posted);
            (void)co_await settled(sleep_for(1h));
            co_await sleep_for(1h);
        });
        co_await yield();
    });
    CHECK(posted == false);
    CHECK(log.size() == 1);
}

TEST_CASE("CBK-32 an answer that is on its way to a frame that is destroyed by force is dropped") {
    lifetimes of_frame;
    lifetimes of_answer;
    hook_log log;
    std::optional<resolver<counted>> kept;
    std::optional<task_handle<>> outlives;
    end_by_force(
        log.hook(), [&] { kept->set_value(of_answer); },
        [&]() -> task<> {
            outlives = spawn([&]() -> task<> {
                const counted local(of_frame);
                const counted answer = co_await from_callback<counted>([&kept](resolver<counted> r) { kept.emplace(std::move(r)); });
                (void)answer;
            });
            co_await yield();
        });
    CHECK(log.size() == 1);
    CHECK(outlives->is_cancelled());
    CHECK(of_frame.alive() == 0);
    CHECK(of_answer.made == 1);
    CHECK(of_answer.alive() == 0);
}

TEST_CASE("THR-38 a call that outlasts every grace keeps the frame that it refers to") {
    const auto child = os::run_in_child([] {
        testing::semaphore begun;
        testing::semaphore gate;
        testing::semaphore over;
        lifetimes l;
        int written = 0;
        int* seen = nullptr;
        run(run_options().real_threads(true).shutdown_grace(1ms).pool_grace(1ms).on_exception([](const exception_report&) {}),
            [&]() -> task<> {
                spawn([&]() -> task<> {
                    const counted local(l);
                    int own = 1;
                    seen = &own;
                    co_await to_thread([&] {
                        begun.release();
                        gate.acquire();
                        own += 6;
                        over.release();
                    });
                });
                co_await yield();
                begun.acquire();
            });
        os::say(l.alive() == 1 ? "kept " : "destroyed ");
        gate.release();
        over.acquire();
        written = *seen;
        os::say(std::to_string(written));
        return 0;
    });
    CHECK(child.output == "kept 7");
}

TEST_CASE("SHD-45 the bound on the pool may pass twice: in the turn in which the grace ends, and again before frames are destroyed") {
    auto engine = std::make_unique<virtual_time_backend>();
    virtual_time_backend& clock = *engine;
    testing::semaphore begun;
    testing::semaphore gate;
    testing::semaphore over;
    lifetimes l;
    hook_log log;
    run(run_options().with(std::move(engine)).shutdown_grace(10ms).pool_grace(10ms).real_threads(true).on_exception(log.hook()),
        [&]() -> task<> {
            auto call = spawn([&]() -> task<> {
                co_await abandon(to_thread([&] {
                    begun.release();
                    gate.acquire();
                    over.release();
                }));
            });
            co_await yield();
            begun.acquire();
            call.cancel();
            (void)co_await settled(call);
            // No task is left: shut down waits for the thread. Then there is one, and after the jump all is due in one turn.
            loop::current().call_after(5ms, [&] {
                spawn([&]() -> task<> {
                    const counted local(l);
                    (void)co_await settled(sleep_for(1h));
                    co_await sleep_for(2h);
                });
            });
            loop::current().call_after(6ms, [&] { clock.jump_to(clock.now() + 6ms); });
            // It stands ready behind them when the grace stops the loop.
            loop::current().call_after(11ms, [own = counted(l)] { FAIL_CHECK("called"); });
        });
    gate.release();
    over.acquire();
    CHECK(l.made > 1);
    CHECK(l.alive() == 0);
    CHECK(log.size() == 1);
}
