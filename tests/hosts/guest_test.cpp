// guest_test.cpp - a guest's beginning and end, who may do what, and misuse; in each host.
#include <hosts/hosted_guest.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/hook_log.hpp>
#include <support/lifetimes.hpp>
#include <support/os.hpp>
#include <support/scale.hpp>
#include <support/semaphore.hpp>
#include <support/trace.hpp>
#include <support/usage.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("GST-01 main's value, exception or cancel reaches on_done once, after clean-up") {
    trace t;
    const auto ends = [&t](auto main) {
        hosted_guest h;
        int calls = 0;
        h.g.start(
            [&]() -> task<int> {
                spawn([&]() -> task<> {
                    (void)co_await settled(sleep_for(1h));
                    t.note("cleaned");
                });
                co_await yield();
                const int value = co_await main();
                co_return value;
            },
            [&](outcome<int> o) {
                ++calls;
                CHECK(h.g.get_loop().is_closed());
                t.note(o ? std::to_string(o.value()) : o.is_cancelled() ? "cancelled" : text_of(o.error()));
            });
        h.host->run_until([&] { return h.g.is_finished(); });
        CHECK(calls == 1);
        CHECK(h.g.dispatch().finished);
        CHECK(calls == 1);
    };
    ends([]() -> task<int> {
        co_await sleep_for(1ms);
        co_return 7;
    });
    ends([]() -> task<int> {
        co_await yield();
        throw std::runtime_error("E");
    });
    ends([]() -> task<int> {
        this_task::handle().cancel();
        co_await yield();
        co_return 0;
    });
    CHECK(t.joined() == "cleaned 7 cleaned E cleaned cancelled");
}

TEST_CASE("GST-01 a main whose callable throws has failed at once: on_done has what it threw") {
    hosted_guest h;
    bool has_failed = false;
    h.g.start([]() -> task<> { throw std::runtime_error("not a coroutine"); },
              [&](outcome<void> end) { has_failed = end.threw<std::runtime_error>(); });
    CHECK(h.g.is_started());
    h.host->run_until([&] { return h.g.is_finished(); });
    CHECK(has_failed);
}

TEST_CASE("GST-01 a guest is started once, and what on_done throws goes to the hook") {
    hook_log log;
    hosted_guest h(run_options().on_exception(log.hook()));
    h.g.start([]() -> task<> { co_await yield(); }, [](outcome<void>) { throw std::runtime_error("of on_done"); });
    CHECK(usage_of([&] { h.g.start([]() -> task<> { co_return; }, [](outcome<void>) {}); }) == errc::already_set);
    h.host->run_until([&] { return h.g.is_finished(); });
    CHECK(log.joined() == "of on_done");
}

TEST_CASE("GST-11 dispatch inside dispatch does nothing and says so") {
    hosted_guest h;
    const auto end = h.run([&]() -> task<int> {
        int ran = 0;
        spawn([&]() -> task<> {
            ++ran;
            co_return;
        });
        const dispatch_result inner = h.g.dispatch();
        CHECK_FALSE(inner.more);
        CHECK_FALSE(inner.finished);
        CHECK_FALSE(h.g.prepare());
        CHECK_FALSE(h.g.drain(time_point::max()));
        CHECK(ran == 0);
        co_await yield();
        co_return ran;
    });
    CHECK(outcome<int>(end).value() == 1);
}

TEST_CASE("GST-12 run() in a host's callback and in a task is refused with what to do instead, and loses no task") {
    lifetimes l;
    hosted_guest h;
    const auto refused = [&l]() -> std::string {
        try {
            run([of_call = counted(l)]() -> task<> { co_return; });
        } catch (const usage_error& e) {
            CHECK(e.code() == errc::nested_run);
            return e.what();
        }
        return "";
    };
    std::string in_host;
    event go_on;
    h.host->call_after(1ms, [&] {
        in_host = refused();
        go_on.set();
    });
    std::string in_task;
    (void)h.run([&]() -> task<> {
        in_task = refused();
        co_await go_on.wait();
    });
    CHECK(in_host.find("spawn() the task onto the guest") != std::string::npos);
    CHECK(in_task.find("co_await the task, or spawn() it") != std::string::npos);
    CHECK(l.alive() == 0);
}

TEST_CASE("GST-13 the current loop is none in the host's callbacks, right in tasks, and restored after another thread's") {
    hosted_guest h;
    event go_on;
    h.host->call_after(1ms, [&] {
        CHECK(loop::try_current() == nullptr);
        CHECK(usage_of([] { loop::current(); }) == errc::no_running_loop);
        go_on.set();
    });
    (void)h.run([&]() -> task<> {
        CHECK(&loop::current() == &h.g.get_loop());
        const auto id = this_task::id();
        std::thread([] { run([]() -> task<> { co_await yield(); }); }).join();
        co_await go_on.wait();
        CHECK(&loop::current() == &h.g.get_loop());
        CHECK(this_task::id() == id);
    });
    CHECK(loop::try_current() == nullptr);
}

TEST_CASE("GST-14 the exception of a task that nobody awaits reaches the hook, and the host goes on") {
    hook_log log;
    hosted_guest h(run_options().on_exception(log.hook()));
    event go_on;
    h.host->call_after(1ms, [&] {
        h.g.spawn([&]() -> task<> {
            co_await yield();
            go_on.set();
            throw std::runtime_error("of a detached one");
        });
    });
    const auto end = h.run([&]() -> task<> { co_await go_on.wait(); });
    CHECK(end.has_value());
    CHECK(log.joined() == "of a detached one");
}

TEST_CASE("GST-15 request_stop from another thread ends a main that sleeps, as cancelled; further ones do no harm") {
    hosted_guest h;
    testing::semaphore sleeps;
    std::thread other([&] {
        sleeps.acquire();
        h.g.request_stop();
        h.g.request_stop();
    });
    const auto end = h.run([&]() -> task<> {
        sleeps.release();
        co_await sleep_for(1h);
    });
    other.join();
    CHECK(end.is_cancelled());
    h.g.request_stop();
}

TEST_CASE("GST-16 a host that quits early: request_stop and drain run every clean-up, and on_done") {
    lifetimes l;
    trace t;
    hosted_guest h;
    event under_way;
    bool is_under_way = false;
    h.g.start(
        [&]() -> task<> {
            auto pair = co_await connected_pair();
            const counted own(l);
            spawn([&t, own = counted(l)]() -> task<> {
                (void)co_await settled(sleep_for(1h));
                co_await sleep_for(1ms);
                t.note("child");
            });
            std::array<std::byte, 1> byte{};
            is_under_way = true;
            co_await pair.ours.read(byte);
        },
        [&](outcome<void> o) { t.note(o.is_cancelled() ? "cancelled" : "?"); });
    h.host->run_until([&] { return is_under_way; });
    h.host->detach();
    CHECK_FALSE(h.g.drain(h.g.get_loop().time() + 1ms));
    h.g.request_stop();
    CHECK(h.g.drain(time_point::max()));
    CHECK(t.joined() == "child cancelled");
    CHECK(l.alive() == 0);
}

TEST_CASE("GST-17 a guest that is destroyed while tasks live ends the program, and names them") {
    const auto child = os::run_in_child([] {
        hosted_guest h;
        bool sleeps = false;
        h.g.start(
            [&]() -> task<> {
                sleeps = true;
                co_await sleep_for(1h);
            },
            [](outcome<void>) {});
        h.host->run_until([&] { return sleeps; });
        return 0;
    });
    CHECK_FALSE(child.code.has_value());
    CHECK(child.output.find("call request_stop() and drain() before it goes") != std::string::npos);
    CHECK(child.output.find("sleep") != std::string::npos);
}

TEST_CASE("GST-17 a guest that was never started may go, with what was spawned onto it") {
    lifetimes l;
    hosted_guest h;
    h.g.spawn([own = counted(l)]() -> task<> { co_await sleep_for(1h); });
    h.host->detach();
    h.host.reset();
    CHECK(l.alive() == 1);
}

TEST_CASE("GST-17 a submission to a guest that goes without having been started ends its future with an error") {
    std::optional<submission<int>> sent;
    {
        hosted_guest h;
        sent = submit(h.g.get_loop().ref(), []() -> task<int> { co_return 7; });
        h.host->detach();
        h.host.reset();
    }
    CHECK(usage_of([&] { sent->get(); }) == errc::closed_loop);
}

TEST_CASE("GST-18 attach, finish, attach again: nothing is left of each") {
    const std::size_t rounds = under_sanitizer ? 50 : 1000;
    std::optional<std::size_t> after_some;
    for (std::size_t i = 0; i < rounds; ++i) {
        hosted_guest h;
        // A host whose timers are coarse needs a millisecond for each.
        (void)h.run([sleeps = i % 10 == 0]() -> task<> {
            if (sleeps)
                co_await sleep_for(1us);
            else
                co_await yield();
        });
        if (i == rounds / 3)
            after_some = os::resident_bytes();
    }
    const auto at_end = os::resident_bytes();
    if (after_some && at_end && !under_sanitizer)
        CHECK(*at_end < *after_some + (std::size_t(2) << 20));
}

TEST_CASE("GST-19 guests on two threads keep out of each other's way") {
    const auto program = [] {
        hosted_guest h;
        int sum = 0;
        (void)h.run([&]() -> task<> {
            auto pair = co_await connected_pair();
            std::array<std::byte, 1> byte{};
            for (int i = 0; i < 100; ++i) {
                co_await pair.ours.write(byte);
                co_await pair.theirs.read(byte);
                ++sum;
            }
        });
        return sum;
    };
    int there = 0;
    std::thread other([&] { there = program(); });
    const int here = program();
    other.join();
    CHECK(here == 100);
    CHECK(there == 100);
}

TEST_CASE("GST-20 a second guest on one thread is refused, and a second host for one guest") {
    hosted_guest h;
    CHECK(usage_of([] { guest second; }) == errc::nested_run);
    CHECK(usage_of([&] { h.g.attach({}); }) == errc::already_set);
    CHECK(usage_of([&] { make_test_host()->attach(h.g, {}); }) == errc::already_set);
    CHECK(usage_of([] { runner r; }) == errc::nested_run);
    const auto end = h.run([]() -> task<> { co_await yield(); });
    CHECK(end.has_value());
}

TEST_CASE("GST-24 a host's code may fork: in the child the guest is a closed one, run() works anew, and the parent goes on") {
    hosted_guest h;
    event go_on;
    std::string said;
    h.host->call_after(1ms, [&] {
        const auto child = os::run_in_child([&] {
            os::say(h.g.dispatch().finished || h.g.prepare() ? "turns " : "silent ");
            os::say(std::to_string(run([]() -> task<int> {
                co_await sleep_for(1ms);
                co_return 7;
            })));
            return 0;
        });
        said = child.output;
        go_on.set();
    });
    const auto end = h.run([&]() -> task<> { co_await go_on.wait(); });
    CHECK(end.has_value());
    CHECK(said == "silent 7");
}

TEST_CASE("GST-54 in a forked child a host goes at once, whatever its helper thread was about") {
    const auto in_child = [](hosted_guest& h) {
        return os::run_in_child([&h] {
                   h.host->detach();
                   os::say("gone");
                   return 0;
               })
            .output;
    };
    hosted_guest h;
    event go_on;
    std::vector<std::string> said;
    h.host->call_after(1ms, [&] {   // the helper thread is in the backend
        said.push_back(in_child(h));
        go_on.set();
    });
    const auto end = h.run([&]() -> task<> {
        co_await go_on.wait();
        co_await sleep_for(1ms);
        said.push_back(in_child(h));   // it waits for the next sleep
    });
    CHECK(end.has_value());
    CHECK(said == std::vector<std::string>{"gone", "gone"});
}

TEST_CASE("GST-25 the handle's number never changes, and it polls like any other") {
    hosted_guest h;
    const auto before = h.g.poll_handle();
    CHECK((before == no_native_handle) == (h.g.news() != guest_news::handle));
    (void)h.run([&]() -> task<> {
        CHECK(h.g.poll_handle() == before);
        co_await sleep_for(1ms);
        CHECK(h.g.poll_handle() == before);
    });
    CHECK(h.g.poll_handle() == before);
}

TEST_CASE("GST-30 a host that goes before its guest leaves it to the next one") {
    hosted_guest h;
    bool began = false;
    std::optional<outcome<int>> end;
    h.g.start(
        [&]() -> task<int> {
            began = true;
            co_await sleep_for(5ms);
            co_return 7;
        },
        [&](outcome<int> o) { end.emplace(std::move(o)); });
    h.host->run_until([&] { return began; });
    h.host->detach();
    h.host = make_test_host();
    h.host->attach(h.g, {});
    h.host->run_until([&] { return h.g.is_finished(); });
    REQUIRE(end);
    CHECK(end->value() == 7);
}

TEST_CASE("EMB-05 a host's loop that stops and goes on later finds the guest as it was") {
    hosted_guest h;
    int beats = 0;
    h.g.start(
        [&]() -> task<> {
            for (; beats < 6; ++beats)
                co_await sleep_for(1ms);
        },
        [](outcome<void>) {});
    h.host->run_until([&] { return beats >= 2; });
    const int at_stop = beats;
    std::this_thread::sleep_for(5ms);   // nobody turns
    CHECK(beats == at_stop);
    h.host->run_until([&] { return h.g.is_finished(); });
    CHECK(beats == 6);
}

TEST_CASE("EMB-06 sockets and handles of tasks that outlive the guest are closed ones") {
    std::optional<tcp_stream> kept;
    {
        hosted_guest h;
        (void)h.run([&]() -> task<> {
            auto pair = co_await connected_pair();
            kept.emplace(std::move(pair.ours));
        });
    }
    CHECK_FALSE(kept->is_open());
    kept->close();
}

TEST_CASE("EMB-07 what a callback throws inside the host's loop never gets there") {
    hook_log log;
    hosted_guest h(run_options().on_exception(log.hook()));
    const auto end = h.run([&]() -> task<> {
        loop::current().call_soon([] { throw std::runtime_error("of a callback"); });
        loop::current().call_after(1ms, [] { throw 7; });
        co_await sleep_for(2ms);
        throw std::runtime_error("of main");
    });
    CHECK(text_of(end.error()) == "of main");
    CHECK(log.joined() == "of a callback, unknown");
}
