// guest_end_test.cpp - a program that calls nothing but its loop's own run function gets it back when the guest's run is over.
#include <hosts/hosted_guest.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/hook_log.hpp>
#include <support/lifetimes.hpp>
#include <support/semaphore.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("GST-41 the host's own run function returns by itself when the guest's run is over") {
    hosted_guest h;
    int ended = 0;
    h.g.start([]() -> task<> { co_await sleep_for(5ms); },
              [&](outcome<void> o) {
                  ended += o.has_value();
                  h.host->quit();
              });
    h.host->run();
    CHECK(ended == 1);
    CHECK(h.g.is_finished());
}

TEST_CASE("GST-41 streams that outlive the run, and a host that is run again, keep nothing alive") {
    hosted_guest h;
    std::optional<stream_pair> pair;
    std::size_t got = 0;
    h.g.start(
        [&]() -> task<> {
            pair.emplace(co_await connected_pair());
            std::array<std::byte, 3> bytes{};
            auto reads = spawn([&]() -> task<> { got = co_await pair->theirs.read(bytes); });
            co_await sleep_for(2ms);
            co_await pair->ours.write(bytes);
            co_await reads;
            (void)co_await settled(timeout(1ms, pair->theirs.read(bytes)));   // watched to the end
        },
        [&](outcome<void>) { h.host->quit(); });
    h.host->run();
    CHECK(h.g.is_finished());
    CHECK(got == 3);
    bool called = false;
    h.host->call_after(1ms, [&] {
        called = true;
        h.host->quit();
    });
    h.host->run_until([&] { return called; });
    CHECK(called);
}

TEST_CASE("GST-41 the host's own run function goes on after the guest's end as long as the program has something on it") {
    hosted_guest h;
    bool called = false;
    bool is_late = false;
    h.host->call_after(30ms, [&] {
        called = true;
        is_late = h.g.is_finished();
        h.host->quit();
    });
    h.g.start([]() -> task<> { co_await sleep_for(1ms); }, [](outcome<void>) {});
    h.host->run();
    h.host->run_until([&] { return called; });   // run() of a host that only turns its guest ends with that
    CHECK(is_late);
}

TEST_CASE("GST-42 after a drain that ended the run the host's own run function returns") {
    hosted_guest h;
    bool sleeps = false;
    h.g.start(
        [&]() -> task<> {
            sleeps = true;
            co_await sleep_for(1h);
        },
        [](outcome<void>) {});
    h.host->run_until([&] { return sleeps; });
    h.g.request_stop();
    CHECK(h.g.drain(time_point::max()));
    h.host->call_after(1ms, [&] { h.host->quit(); });
    h.host->run();
    CHECK(h.g.is_finished());
}

TEST_CASE("GST-43 no step of shut down blocks the host: a call on a pool thread may take longer than the grace") {
    // Used by the call, which outlives everything if the case fails.
    const auto gate = std::make_shared<testing::semaphore>();
    lifetimes of_locals;
    hook_log log;
    hosted_guest h(run_options().shutdown_grace(2ms).on_exception(log.hook()));
    std::size_t turned = 0;
    std::function<void()> beat = [&] {
        if (log.empty() || ++turned < 5)
            h.host->call_after(1ms, [&] { beat(); });
        else
            gate->release();
    };
    beat();
    (void)h.run([&]() -> task<> {
        testing::semaphore begun;
        spawn([&of_locals, gate, &begun]() -> task<> {
            const counted local(of_locals);
            const auto call = [gate, &begun] {
                begun.release();
                gate->acquire();
            };
            co_await to_thread(call);
        });
        co_await yield();
        begun.acquire();
    });
    CHECK(turned == 5);
    CHECK(of_locals.made == 1);
    CHECK(of_locals.alive() == 0);
    CHECK(log.size() == 1);
}
