// fork_test.cpp - in a forked child the parent's loop is a closed one, nothing of it is touched, and run() works anew.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/counting_backend.hpp>
#include <support/os.hpp>
#include <support/semaphore.hpp>
#include <support/usage.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// Says which misuse an await, or a call, turned out to be.
void say_errc(const std::string& what, const std::exception_ptr& left) {
    std::string found = "nothing";
    try {
        if (left)
            std::rethrow_exception(left);
    } catch (const usage_error& e) {
        found = to_string(e.code());
    } catch (const std::exception& e) {
        found = e.what();
    }
    os::say(what + ":" + found + " ");
}

void say_errc_of(const std::string& what, const std::function<void()>& f) {
    std::exception_ptr left;
    try {
        f();
    } catch (...) {
        left = std::current_exception();
    }
    say_errc(what, left);
}

task<int> seven() {
    co_await sleep_for(1ms);
    co_return 7;
}

/// What the child finds; each await that needs the loop, and each call.
task<> use_parents_loop(stream_pair& pair, task_handle<int>& other, loop& l, loop_ref ref) {
    std::array<std::byte, 4> buffer;
    const auto slept = co_await settled(sleep_for(1ms));
    say_errc("sleep", slept.error());
    const auto turned = co_await settled(yield());
    say_errc("yield", turned.error());
    const auto reads = [&]() -> task<> { (void)co_await pair.ours.read(buffer); };
    const auto read = co_await settled(reads());
    say_errc("read", read.error());
    const auto joined = co_await settled(other);
    say_errc("join", joined.error());
    say_errc_of("spawn", [] { (void)spawn(seven()); });
    say_errc_of("current", [] { (void)loop::current(); });
    say_errc_of("call_soon", [&l] { l.call_soon([] {}); });
    say_errc_of("cancel", [&other] { other.cancel(); });
    os::say(ref.post([] {}) ? "posted " : "refused ");
    const auto in_place = co_await []() -> task<int> { co_return 1; }();   // needs no loop
    os::say("in-place:" + std::to_string(in_place) + " ");
    os::say("anew:" + std::to_string(run(seven())) + " ");
    pair.ours.close();
}

}

TEST_CASE("ERR-11 in a forked child each use of the parent's loop is a usage_error, run works anew, and the parent is unharmed") {
    const auto program = os::run_in_child([] {
        std::optional<int> child_code;
        pid_t child = -1;
        int sum = 0;
        try {
            run([&]() -> task<> {
                auto pair = co_await connected_pair();
                auto waits = spawn([&pair]() -> task<int> {
                    std::array<std::byte, 4> buffer{};
                    const std::size_t n = co_await pair.ours.read(buffer);
                    co_return static_cast<int>(n);
                });
                auto other = spawn(seven());
                co_await yield();
                loop& l = loop::current();
                child = ::fork();
                if (child == 0) {
                    co_await use_parents_loop(pair, other, l, l.ref());
                    co_return;
                }
                int status = 0;
                ::waitpid(child, &status, 0);
                child_code = status;
                // The descriptors are shared: had the child touched them, this would not work any more.
                const std::array<std::byte, 3> bytes{};
                co_await write_all(pair.theirs, bytes);
                sum = co_await waits + co_await other;
            });
        } catch (const usage_error& e) {
            os::say("run:" + std::string(to_string(e.code())));
        }
        if (child == 0)
            ::_exit(5);
        os::say(" parent:" + std::to_string(sum) + " child:" + std::to_string(*child_code >> 8));
        return 0;
    });
    CHECK(program.code == 0);
    CHECK(program.output == "sleep:closed_loop yield:closed_loop read:closed_loop join:closed_loop spawn:closed_loop current:closed_loop "
                            "call_soon:closed_loop cancel:closed_loop refused in-place:1 anew:7 run:closed_loop parent:10 child:5");
}

TEST_CASE("ERR-11 a child that is forked during shut down, or between the runs of a runner, leaves the parent's loop alone") {
    const auto program = os::run_in_child([] {
        pid_t child = -1;
        try {
            run([&child]() -> task<> {
                spawn([&child]() -> task<> {
                    (void)co_await settled(sleep_for(1h));
                    child = ::fork();
                });
                co_await yield();
            });
        } catch (const usage_error& e) {
            os::say("run:" + std::string(to_string(e.code())));
        }
        if (child == 0)
            ::_exit(5);
        int status = 0;
        ::waitpid(child, &status, 0);
        os::say(" child:" + std::to_string(status >> 8));

        {
            runner r;
            os::say(" first:" + std::to_string(r.run(seven())));
            child = ::fork();
            if (child == 0) {
                say_errc_of(" second", [&r] { r.run(seven()); });
            } else {
                ::waitpid(child, &status, 0);
                os::say("child:" + std::to_string(status >> 8) + " third:" + std::to_string(r.run(seven())));
            }
        }
        if (child == 0)
            ::_exit(6);
        return 0;
    });
    CHECK(program.code == 0);
    CHECK(program.output == "run:closed_loop child:5 first:7 second:closed_loop child:6 third:7");
}

TEST_CASE("CBK-17 a resolver that is called in a forked child leaves the parent's loop asleep [rt]") {
    backend_calls calls;
    testing::semaphore sleeps;
    run(run_options().real_threads(true).with(std::make_unique<counting_backend>(calls)), [&]() -> task<> {
        std::optional<resolver<int>> kept;
        auto waits = spawn([&kept]() -> task<int> {
            const int got = co_await from_callback<int>([&kept](resolver<int> r) { kept.emplace(std::move(r)); });
            co_return got;
        });
        co_await yield();
        const auto call_in_child = [&] {
            sleeps.acquire();
            const pid_t child = ::fork();
            if (child == 0) {
                const std::uint64_t before = calls.wakes;
                kept->set_value(7);
                ::_exit(calls.wakes == before ? 5 : 6);
            }
            int status = 0;
            ::waitpid(child, &status, 0);
            return status >> 8;
        };
        calls.before_endless_wait = [&sleeps] { sleeps.release(); };
        const int code = co_await to_thread(call_in_child);
        calls.before_endless_wait = nullptr;
        CHECK(code == 5);
        CHECK_FALSE(waits.is_done());
        kept->set_value(8);
        const int eight = co_await waits;
        CHECK(eight == 8);
    });
}

TEST_CASE("RUN-44 after a fork nothing that stood ready runs in the child, and all of it in the parent") {
    const auto program = os::run_in_child([] {
        pid_t child = -1;
        try {
            run([&child]() -> task<> {
                const auto forks = [&child]() -> task<> {
                    co_await yield();
                    child = ::fork();
                    if (child > 0)
                        ::waitpid(child, nullptr, 0);
                };
                const auto is_ready_behind = [&child]() -> task<> {
                    co_await yield();
                    os::say(child == 0 ? "child's step " : "step ");
                };
                auto a = spawn(forks);
                auto b = spawn(is_ready_behind);
                co_await yield();
                co_await yield();
                loop::current().call_soon([&child] { os::say(child == 0 ? "child's callback " : "callback "); });
                co_await a;
                co_await b;
                co_await yield();
            });
            os::say("returned ");
        } catch (const usage_error& e) {
            os::say("run:" + std::string(to_string(e.code())) + " ");
        }
        if (child == 0)
            ::_exit(5);
        return 0;
    });
    CHECK(program.output == "run:closed_loop step callback returned ");
}

TEST_CASE("RUN-45 objects that the parent's tasks wait on belong to no loop of the child's") {
    const auto program = os::run_in_child([] {
        pid_t child = -1;
        try {
            run([&child]() -> task<> {
                event e;
                queue<int> q;
                corun::semaphore s(0);
                auto a = spawn([&e]() -> task<> { co_await e.wait(); });
                auto b = spawn([&q]() -> task<> { (void)co_await q.get(); });
                auto c = spawn([&s]() -> task<> { const auto permit = co_await s.acquire(); });
                co_await yield();
                child = ::fork();
                if (child == 0) {
                    os::say(usage_of([&e] { e.set(); }) ? "refused " : "set ");
                    os::say(usage_of([&q] { (void)q.try_put(1); }) ? "refused " : "put ");
                    os::say(usage_of([&s] { (void)s.try_acquire(); }) ? "refused " : "acquired ");
                    ::_exit(5);
                }
                int status = 0;
                ::waitpid(child, &status, 0);
                e.set();
                (void)q.try_put(1);
                s.release();
                co_await a;
                co_await b;
                co_await c;
                os::say("all woken");
            });
        } catch (const usage_error&) {
        }
        return 0;
    });
    CHECK(program.output == "refused refused refused all woken");
}

TEST_CASE("RUN-46 the loop of a runner that was forked between its runs takes no callback in the child") {
    const auto program = os::run_in_child([] {
        runner r;
        os::say(std::to_string(r.run(seven())) + " ");
        loop& l = *r.current_loop();
        const pid_t child = ::fork();
        if (child == 0) {
            say_errc_of("call_soon", [&l] { l.call_soon([] {}); });
            say_errc_of("call_after", [&l] { l.call_after(1ms, [] {}); });
            os::say(l.post([] {}) ? "posted " : "refused ");
            ::_exit(5);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        os::say("child:" + std::to_string(status >> 8));
        return 0;
    });
    CHECK(program.output == "7 call_soon:closed_loop call_after:closed_loop refused child:5");
}

TEST_CASE("RUN-47 a group that is cancelled in the child asks none of the parent's tasks") {
    const auto program = os::run_in_child([] {
        run([]() -> task<> {
            co_await with_task_group([](task_group& g) -> task<> {
                bool was_cancelled = false;
                auto waits = g.spawn([&was_cancelled]() -> task<> {
                    const auto end = co_await settled(sleep_for(1ms));
                    was_cancelled = end.is_cancelled();
                });
                co_await yield();
                const pid_t child = ::fork();
                if (child == 0) {
                    g.cancel();
                    os::say(std::to_string(waits.cancelling()) + " ");
                    ::_exit(5);
                }
                int status = 0;
                ::waitpid(child, &status, 0);
                co_await waits;
                os::say(was_cancelled ? "cancelled" : "slept");
            });
        });
        return 0;
    });
    CHECK(program.output == "0 slept");
}
