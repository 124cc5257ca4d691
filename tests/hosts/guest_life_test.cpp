// guest_life_test.cpp - a guest that is not started, is asked to end before, awaits a host that is gone, or goes in its on_done.
#include <hosts/hosted_guest.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/hook_log.hpp>
#include <support/lifetimes.hpp>
#include <support/os.hpp>
#include <support/trace.hpp>
#include <support/usage.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <thread>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// What awaits an answer that its host has not given.
class unanswered {
public:
    task<> wait() {
        (void)co_await from_callback<int>([this](resolver<int> r) { kept_.emplace(std::move(r)); });
    }
    bool is_asked() const noexcept { return kept_.has_value(); }
    void answer() { kept_->set_value(7); }

private:
    std::optional<resolver<int>> kept_;
};

/// The text of the usage_error that `f()` throws.
template <class F>
std::string refusal_of(F f) {
    try {
        f();
    } catch (const usage_error& e) {
        return std::string(to_string(e.code())) + ": " + e.what();
    }
    return "";
}

}

TEST_CASE("GST-44 a main that awaits its host ends by the grace after request_stop(), though the host turns no more") {
    lifetimes l;
    hook_log log;
    unanswered host;
    hosted_guest h(run_options().shutdown_grace(5ms).on_exception(log.hook()));
    std::optional<outcome<void>> end;
    h.g.start(
        [&]() -> task<> {
            const counted own(l);
            co_await host.wait();
        },
        [&](outcome<void> o) { end.emplace(std::move(o)); });
    h.host->run_until([&] { return host.is_asked(); });
    h.host->detach();
    h.g.request_stop();
    CHECK(h.g.drain(time_point::max()));
    REQUIRE(end);
    CHECK(end->is_cancelled());
    CHECK(l.alive() == 0);
    REQUIRE(log.size() == 1);
    CHECK(log.reports()[0].message.find("did not stop within the shutdown grace") != std::string::npos);
    host.answer();   // too late, and harmless
}

TEST_CASE("GST-44 the same in a host that goes on turning; a main that ends within the grace is not stopped by it") {
    hook_log log;
    {
        unanswered host;
        hosted_guest h(run_options().shutdown_grace(5ms).on_exception(log.hook()));
        h.host->call_after(1ms, [&] { h.g.request_stop(); });
        const auto end = h.run([&]() -> task<> { co_await host.wait(); });
        CHECK(end.is_cancelled());
        CHECK(log.size() == 1);
    }
    trace t;
    hosted_guest h(run_options().shutdown_grace(1h).on_exception(log.hook()));
    h.host->call_after(1ms, [&] { h.g.request_stop(); });
    const auto end = h.run([&]() -> task<int> {
        spawn([&]() -> task<> {
            (void)co_await settled(sleep_for(1h));
            co_await sleep_for(1ms);
            t.note("child");
        });
        (void)co_await settled(sleep_for(1h));
        co_await sleep_for(1ms);
        t.note("main");
        co_return 7;
    });
    CHECK(outcome<int>(end).value() == 7);
    CHECK(t.joined() == "main child");
    CHECK(log.size() == 1);
}

TEST_CASE("GST-44 drain() takes a time span too, and says that the run goes on") {
    unanswered host;
    hosted_guest h;
    h.g.start([&]() -> task<> { co_await host.wait(); }, [](outcome<void>) {});
    h.host->run_until([&] { return host.is_asked(); });
    h.g.request_stop();
    CHECK_FALSE(h.g.drain(2ms));
    host.answer();
    CHECK(h.g.drain(1h));
}

TEST_CASE("GST-77 what a guest's host asks of main is the host's, with the line of its request_stop()") {
    hosted_guest h;
    unsigned line = 0;
    h.host->call_after(1ms, [&] {
        line = std::source_location::current().line() + 1;
        h.g.request_stop();
    });
    cancel_reason why;
    const auto end = h.run([&]() -> task<> {
        const auto asked = co_await settled(sleep_for(1h));
        why = this_task::why_cancelled();
        asked.rethrow();
    });
    CHECK(end.is_cancelled());
    CHECK(why.origin == cancel_origin::host);
    CHECK(std::string_view(why.file).ends_with("guest_life_test.cpp"));
    CHECK(why.line == line);
}

TEST_CASE("GST-45 request_stop() before start() is kept: main never begins, and ends as cancelled") {
    for (const bool is_turned : {false, true}) {
        lifetimes l;
        hosted_guest h;
        h.g.request_stop();
        h.g.request_stop();
        if (is_turned) {
            bool called = false;
            h.host->call_after(1ms, [&] { called = true; });
            h.host->run_until([&] { return called; });
        }
        bool began = false;
        const auto end = h.run([&began, own = counted(l)]() -> task<> {
            began = true;
            co_return;
        });
        CHECK(end.is_cancelled());
        CHECK_FALSE(began);
        CHECK(l.alive() == 0);
    }
}

TEST_CASE("GST-45 of several requests to stop the first counts: main's clean-up is not cut short") {
    bool has_cleaned = false;
    hosted_guest h;
    h.host->call_after(1ms, [&] {
        h.g.request_stop();
        h.host->call_after(1ms, [&] { h.g.request_stop(); });
    });
    (void)h.run([&]() -> task<> {
        (void)co_await settled(sleep_for(1h));
        co_await sleep_for(5ms);
        has_cleaned = true;
    });
    CHECK(has_cleaned);
}

TEST_CASE("GST-46 a guest that is not started runs what is spawned onto it; a main that returns at once ends it in its host's turns") {
    trace t;
    hosted_guest h;
    std::string got;
    bool is_done = false;
    const auto echo = [&]() -> task<> {
        auto pair = co_await connected_pair();
        co_await write_all(pair.ours, as_bytes("hello"));
        got = co_await read_some(pair.theirs);
        co_await sleep_for(1ms);
        is_done = true;
    };
    h.g.spawn(echo);
    CHECK_FALSE(h.g.is_started());
    h.host->run_until([&] { return is_done; });
    CHECK(got == "hello");
    CHECK(h.g.drain(time_point::max()));   // no run that could be over
    h.g.spawn([&]() -> task<> {
        (void)co_await settled(sleep_for(1h));
        co_await sleep_for(1ms);
        t.note("cleaned");
    });
    bool turned = false;
    h.host->call_after(1ms, [&] { turned = true; });
    h.host->run_until([&] { return turned; });
    h.g.start([]() -> task<> { co_return; }, [&](outcome<void>) { t.note("over"); });
    h.host->run_until([&] { return h.g.is_finished(); });
    CHECK(t.joined() == "cleaned over");
}

TEST_CASE("GST-46 a guest that was never started ends its tasks in its destructor, clean-up included") {
    trace t;
    {
        hosted_guest h;
        bool sleeps = false;
        h.g.spawn([&]() -> task<> {
            sleeps = true;
            (void)co_await settled(sleep_for(1h));
            co_await sleep_for(1ms);
            t.note("cleaned");
        });
        h.host->run_until([&] { return sleeps; });
    }
    CHECK(t.joined() == "cleaned");
}

TEST_CASE("GST-47 another thread than the guest's is refused with a text that says what to do") {
    hosted_guest h;
    const auto elsewhere = [](auto f) {
        std::string said;
        std::thread([&] { said = refusal_of(f); }).join();
        CHECK(said.find("wrong_thread: ") == 0);
        CHECK(said.find("made on another thread") != std::string::npos);
        CHECK(said.find("submit()") != std::string::npos);
    };
    elsewhere([&] { h.g.start([]() -> task<> { co_return; }, [](outcome<void>) {}); });
    elsewhere([&] { h.g.spawn([]() -> task<> { co_return; }); });
    elsewhere([&] { h.g.attach({}); });
    elsewhere([&] { h.g.check_thread(); });
    CHECK_FALSE(h.g.is_started());
    const auto end = h.run([]() -> task<> { co_await yield(); });
    CHECK(end.has_value());
}

TEST_CASE("GST-47 turning a guest on another thread ends the program with that text") {
    for (const bool prepares : {false, true}) {
        const auto child = os::run_in_child([prepares] {
            hosted_guest h;
            std::thread([&] { prepares ? (void)h.g.prepare() : (void)h.g.dispatch(); }).join();
            return 0;
        });
        CHECK_FALSE(child.code.has_value());
        CHECK(child.output.find("made on another thread") != std::string::npos);
    }
}

TEST_CASE("GST-51 on_done may destroy the host and the guest, and the thread is free for the next one at once") {
    lifetimes l;
    for (const bool by_drain : {false, true}) {
        auto session = std::make_unique<hosted_guest>();
        std::unique_ptr<test_host> loop_of_it;
        bool ended = false;
        session->g.start(
            [own = counted(l)]() -> task<int> {
                co_await sleep_for(1ms);
                co_return 7;
            },
            [&, own = counted(l)](outcome<int> o) {
                ended = o.value() == 7;
                session->host->detach();
                loop_of_it = std::move(session->host);   // it calls this
                session.reset();
                CHECK_FALSE(guest::is_here());
                CHECK(loop::try_current() == nullptr);
                const guest next;
                CHECK(guest::here() == &next);
            });
        if (by_drain) {
            CHECK(session->g.drain(1h));
        } else {
            test_host& host = *session->host;
            host.run_until([&] { return ended; });
        }
        CHECK(ended);
        CHECK(l.alive() == 0);
    }
}

TEST_CASE("GST-48 a guest that is destroyed by a task of its own ends the program and says so, started or not") {
    for (const bool is_started : {false, true}) {
        const auto child = os::run_in_child([is_started] {
            auto h = std::make_unique<hosted_guest>();
            test_host& host = *h->host;
            const auto ends_it = [&]() -> task<> {
                co_await yield();
                h->host.release();
                h.reset();
            };
            if (is_started)
                h->g.start(ends_it, [](outcome<void>) {});
            else
                h->g.spawn(ends_it);
            host.run_until([] { return false; });
            return 0;
        });
        CHECK_FALSE(child.code.has_value());
        CHECK(child.output.find("destroyed by a task or callback of its own") != std::string::npos);
    }
}

TEST_CASE("GST-48 a host that goes in a task of its guest's, or in on_done, leaves the guest to the next one") {
    hosted_guest h;
    bool has_gone = false;
    std::optional<outcome<void>> end;
    h.g.start(
        [&]() -> task<> {
            co_await sleep_for(1ms);
            h.host->detach();
            has_gone = true;
            co_await sleep_for(1ms);
        },
        [&](outcome<void> o) {
            end.emplace(std::move(o));
            h.host->detach();
        });
    h.host->run_until([&] { return has_gone; });
    h.host->attach(h.g, {});
    h.host->run_until([&] { return h.g.is_finished(); });
    REQUIRE(end);
    CHECK(end->has_value());
}

TEST_CASE("GST-49 a host's code binds and adopts; what needs a task is refused with the way to one") {
    hosted_guest h;
    CHECK(guest::here() == &h.g);
    CHECK(guest::is_here());
    std::optional<tcp_listener> listener;
    event bound;
    std::string of_spawn;
    std::string of_current;
    h.host->call_after(2ms, [&] {
        listener.emplace(tcp_listener::bind(address::loopback()));
        bound.set();
        of_spawn = refusal_of([] { spawn([]() -> task<> { co_return; }); });
        of_current = refusal_of([] { loop::current(); });
    });
    std::string got;
    std::optional<tcp_stream> kept;
    const auto end = h.run([&]() -> task<> {
        CHECK(guest::here() == &h.g);
        co_await bound.wait();
        auto accepts = spawn([&]() -> task<tcp_stream> {
            auto accepted = co_await listener->accept();
            co_return accepted;
        });
        auto ours = co_await connect(listener->local_address());
        auto theirs = co_await std::move(accepts);
        const native_handle raw = theirs.release();
        event adopted;
        h.host->call_after(1ms, [&] {
            kept.emplace(tcp_stream::adopt(raw));
            adopted.set();
        });
        co_await adopted.wait();
        co_await write_all(ours, as_bytes("hello"));
        got = co_await read_some(*kept);
        kept.reset();
        listener.reset();
    });
    CHECK(end.has_value());
    CHECK(got == "hello");
    CHECK(of_spawn.find("guest::here()->spawn(f)") != std::string::npos);
    CHECK(of_current.find("guest::here()->get_loop()") != std::string::npos);
    CHECK(usage_of([] { tcp_listener::bind(address::loopback()); }) == errc::closed_loop);
}

TEST_CASE("GST-50 a guest that does not keep its host alive leaves it when nothing else is on it, and goes on when it is run again") {
    hosted_guest h;
    event go_on;
    int beats = 0;
    h.g.start(
        [&]() -> task<> {
            auto pair = co_await connected_pair();
            std::array<std::byte, 1> byte{};
            auto reads = spawn(read_some(pair.theirs));
            ++beats;
            co_await go_on.wait();
            co_await pair.ours.write(byte);
            (void)co_await std::move(reads);
            co_await sleep_for(1ms);
            ++beats;
        },
        [](outcome<void>) {});
    h.host->run_until([&] { return beats == 1; });
    bool called = false;
    h.host->call_after(5ms, [&] { called = true; });
    h.host->keep_alive(false);
    h.host->run();
    CHECK(called);
    CHECK_FALSE(h.g.is_finished());
    go_on.set();
    h.host->keep_alive(true);
    h.host->run();
    CHECK(beats == 2);
    CHECK(h.g.is_finished());
}
