// sim_test.cpp - a simulation is its seed: faults, replay, and the same run on every compiler.
#include <corun/corun.hpp>
#include <corun/sim.hpp>
#include <corun/simulate.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/trace.hpp>
#include <support/wrapped_backend.hpp>
#include <unit/cards_without_handle.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// Sends `count` bytes and ends; errors of the connection are of no interest here.
task<> sends(tcp_stream& to, std::size_t count) {
    std::vector<std::byte> data(count);
    for (std::size_t i = 0; i < count; ++i)
        data[i] = static_cast<std::byte>(i * 7 % 251);
    const auto sent = co_await settled(write_all(to, data));
    auto ended = as_result(to.shutdown());
    const bool has_ended = sent.has_value() && (co_await std::move(ended)).has_value();
    if (!has_ended)
        to.close();   // or the other side would wait for ever
}

/// Reads to the end or to an error; counts, and compares with what sends() sends.
task<std::size_t> receives(tcp_stream& from, bool& equal) {
    std::size_t total = 0;
    std::array<std::byte, 300> buffer;
    for (;;) {
        const auto count = co_await as_result(from.read(buffer));
        if (!count || *count == 0)
            co_return total;
        for (std::size_t i = 0; i < *count; ++i)
            equal = equal && buffer[i] == static_cast<std::byte>((total + i) * 7 % 251);
        total += *count;
    }
}

/// Sends and receives over a connection of its own; what arrives is what was sent, as far as it arrives.
task<> transfers_once() {
    std::optional<tcp_listener> listener;
    try {
        listener = tcp_listener::bind(loopback());
    } catch (const std::system_error&) {
        co_return;
    }
    auto connecting = spawn(corun::connect(listener->local_address()));
    auto accepted = co_await settled(timeout(10s, listener->accept()));
    auto connected = co_await settled(std::move(connecting));
    if (!accepted.has_value() || !connected.has_value())
        co_return;
    auto theirs = std::move(accepted).value();
    auto ours = std::move(connected).value();
    bool equal = true;
    auto sending = spawn(sends(theirs, 5000));
    const std::size_t count = co_await receives(ours, equal);
    if (!equal || count > 5000)
        throw std::runtime_error("bytes were lost or changed");
    sending.cancel();
    co_await wait(sending);
}

task<> transfers(sim_control&) {
    std::vector<task_handle<>> all;
    for (int i = 0; i < 4; ++i)
        all.push_back(spawn(transfers_once));
    for (auto& one : all)
        co_await one;
}

template <class F>
duration virtual_time_of(const sim_options& options, F program) {
    duration took{};
    run(run_options().with(make_sim(options)), [&]() -> task<> {
        const time_point began = loop::current().time();
        co_await program();
        took = loop::current().time() - began;
    });
    return took;
}

}

TEST_CASE("the same seeds give the same runs, and these are the numbers on every compiler") {
    const std::uint64_t first = simulate(seed_range(0, 300), transfers);
    CHECK(first == simulate(seed_range(0, 300), transfers));
    CHECK(first != simulate(seed_range(1, 300), transfers));
    CHECK(first == 17003530205714029822u);
}

TEST_CASE("a run is repeated from its choices") {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const auto options = [seed] { return sim_options(seed).swarm().shuffle_ready().shuffle_completions(); };
        sim_control drawn;
        run(run_options().with(make_sim(options(), drawn)), transfers, std::ref(drawn));
        sim_control replayed;
        run(run_options().with(make_sim(options().replay(drawn.choices()), replayed)), transfers, std::ref(replayed));
        CHECK(replayed.hash() == drawn.hash());
        CHECK(replayed.choices() == drawn.choices());
    }
}

TEST_CASE("a delay takes virtual time, there and back") {
    const duration took = virtual_time_of(sim_options().link(sim_link().delay(10ms)), []() -> task<> {
        auto pair = co_await connected_pair();
        std::array<std::byte, 1> byte{};
        co_await write_all(pair.ours, byte);
        co_await read_exactly(pair.theirs, byte);
        co_await write_all(pair.theirs, byte);
        co_await read_exactly(pair.ours, byte);
    });
    CHECK(took == 30ms);   // to connect, there, back
}

TEST_CASE("a bandwidth of 1000 bytes a second takes two seconds for 2000 bytes") {
    const duration took = virtual_time_of(sim_options().link(sim_link().bandwidth(1000)), []() -> task<> {
        auto pair = co_await connected_pair();
        std::vector<std::byte> data(2000);
        co_await write_all(pair.ours, data);
        co_await read_exactly(pair.theirs, data);
    });
    CHECK(took == 2s);
}

TEST_CASE("chunks bound what a transfer moves, and a small buffer holds the sender back") {
    run(run_options().with(make_sim(sim_options(3).link(sim_link().chunks(10).buffer(25)))), []() -> task<> {
        auto pair = co_await connected_pair();
        std::vector<std::byte> data(100);
        std::size_t sent = 0;
        std::size_t largest = 0;
        for (;;) {
            const auto one = co_await settled(timeout(1s, pair.ours.write(data)));
            if (!one.has_value())
                break;
            auto copy = one;
            largest = std::max(largest, copy.value());
            sent += copy.value();
        }
        CHECK(largest <= 10);
        CHECK(largest > 1);
        CHECK(sent == 25);
    });
}

TEST_CASE("every transfer that is reset is an error on both sides, after what had arrived") {
    run(run_options().with(make_sim(sim_options(1).link(sim_link().resets(1)))), []() -> task<> {
        auto pair = co_await connected_pair();
        std::array<std::byte, 1> byte{};
        const auto sent = co_await as_result(pair.ours.write(byte));
        CHECK(sent.error() == std::errc::connection_reset);
        const auto got = co_await as_result(pair.theirs.read(byte));
        CHECK(got.error() == std::errc::connection_reset);
    });
}

TEST_CASE("a connection that closes after 10 bytes gives these, then the end; the sender is told") {
    run(run_options().with(make_sim(sim_options().link(sim_link().closes_after(10)))), []() -> task<> {
        auto pair = co_await connected_pair();
        std::array<std::byte, 30> data{};
        const std::size_t sent = co_await pair.ours.write(data);
        CHECK(sent == 10);
        const auto more = co_await as_result(pair.ours.write(data));
        CHECK(more.error() == std::errc::connection_reset);
        const std::size_t got = co_await pair.theirs.read(data);
        CHECK(got == 10);
        const std::size_t end = co_await pair.theirs.read(data);
        CHECK(end == 0);
    });
}

TEST_CASE("a partition holds everything up until it heals, new connections too") {
    sim_control control;
    run(run_options().with(make_sim(sim_options(), control)), [&control]() -> task<> {
        auto pair = co_await connected_pair();
        std::array<std::byte, 3> data{};
        control.partition();
        co_await write_all(pair.ours, data);
        const auto late = co_await settled(timeout(1h, read_exactly(pair.theirs, data)));
        CHECK(late.threw<timed_out>());
        auto listener = tcp_listener::bind(loopback());
        const auto unconnected = co_await settled(timeout(1h, corun::connect(listener.local_address())));
        CHECK(unconnected.threw<timed_out>());
        auto connecting = spawn(corun::connect(listener.local_address()));
        co_await sleep_for(1h);
        CHECK_FALSE(connecting.is_done());
        control.heal();
        co_await connecting;
        co_await read_exactly(pair.theirs, data);
    });
}

TEST_CASE("a budget of descriptors is an error of the next socket") {
    run(run_options().with(make_sim(sim_options().descriptors(3))), []() -> task<> {
        const auto pair = co_await connected_pair();
        const auto listener = tcp_listener::bind(loopback());
        std::error_code refused;
        try {
            const auto second = tcp_listener::bind(loopback());
        } catch (const std::system_error& e) {
            refused = e.code();
        }
        CHECK(refused == std::errc::too_many_files_open);
    });
}

TEST_CASE("operations fail for want of memory when asked to, and the connection stays usable") {
    run(run_options().with(make_sim(sim_options(5).memory_failures(3))), []() -> task<> {
        int failed = 0;
        int worked = 0;
        auto listener = tcp_listener::bind(loopback());
        for (int i = 0; i < 60; ++i) {
            const auto one = co_await as_result(corun::connect(listener.local_address()));
            if (one)
                ++worked;
            else if (one.error() == std::errc::no_buffer_space)
                ++failed;
        }
        CHECK(failed > 5);
        CHECK(worked > 20);
        CHECK(failed + worked == 60);
    });
}

TEST_CASE("shuffled, two tasks of a turn run in both orders over some seeds; unshuffled in one") {
    const auto orders = [](bool shuffled) {
        std::vector<std::string> seen;
        for (std::uint64_t seed = 0; seed < 20; ++seed) {
            trace t;
            sim_options options(seed);
            if (shuffled)
                options.shuffle_ready();
            run(run_options().with(make_sim(options)), [&t]() -> task<> {
                const auto notes = [&t](std::string name) -> task<> {
                    t.note(std::move(name));
                    co_return;
                };
                auto a = spawn(notes, std::string("a"));
                auto b = spawn(notes, std::string("b"));
                co_await a;
                co_await b;
            });
            if (std::find(seen.begin(), seen.end(), t.joined()) == seen.end())
                seen.push_back(t.joined());
        }
        std::sort(seen.begin(), seen.end());
        return seen;
    };
    CHECK(orders(false) == std::vector<std::string>{"a b"});
    CHECK(orders(true) == std::vector<std::string>{"a b", "b a"});
}

TEST_CASE("a cancel that meets data on its way ends with the data or with cancelled, and nothing is lost; both happen") {
    int with_data = 0;
    int with_cancel = 0;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        sim_options options(seed);
        options.link(sim_link().delay(10ms)).shuffle_completions();
        run(run_options().with(make_sim(options)), [&]() -> task<> {
            auto pair = co_await connected_pair();
            std::array<std::byte, 4> data{};
            std::size_t got = 0;
            const auto reads = [&]() -> task<> { got = co_await pair.theirs.read(data); };
            auto reading = spawn(reads);
            co_await write_all(pair.ours, data);
            co_await yield();
            reading.cancel();
            co_await wait(reading);
            ++(reading.is_cancelled() ? with_cancel : with_data);
            if (got == 0)
                got = co_await pair.theirs.read(data);
            CHECK(got == 4);
        });
    }
    CHECK(with_data > 5);
    CHECK(with_cancel > 5);
    CHECK(with_data + with_cancel == 40);
}

namespace {

task<std::error_code> error_of_read(tcp_stream& s) {
    std::array<std::byte, 1> room{};
    const auto got = co_await as_result(s.read(room));
    co_return got.error();
}

}

TEST_CASE("a write that finds the connection reset ends the read that waits on the same side") {
    run(run_options().with(make_sim(sim_options(1).link(sim_link().resets(1)))), []() -> task<> {
        auto pair = co_await connected_pair();
        std::array<std::byte, 1> byte{};
        auto reading = spawn(error_of_read, std::ref(pair.ours));
        co_await yield();
        const auto sent = co_await as_result(pair.ours.write(byte));
        CHECK(sent.error() == std::errc::connection_reset);
        const std::error_code error = co_await std::move(reading);
        CHECK(error == std::errc::connection_reset);
    });
}

TEST_CASE("a connection that closes after 10 bytes ends its sender's read too") {
    run(run_options().with(make_sim(sim_options().link(sim_link().closes_after(10)))), []() -> task<> {
        auto pair = co_await connected_pair();
        std::array<std::byte, 10> data{};
        auto reading = spawn(error_of_read, std::ref(pair.ours));
        co_await yield();
        co_await write_all(pair.ours, data);
        const std::error_code error = co_await std::move(reading);
        CHECK(error == std::errc::connection_reset);
    });
}

TEST_CASE("a write that waits for room ends when the peer, which had shut down, closes with all bytes still under way") {
    run(run_options().with(make_sim(sim_options().link(sim_link().delay(10ms).buffer(4)))), []() -> task<> {
        auto pair = co_await connected_pair();
        std::array<std::byte, 8> data{};
        co_await pair.theirs.shutdown();
        co_await sleep_for(1s);
        const auto writes = [&]() -> task<> {
            const auto written = co_await settled(write_all(pair.ours, data));
            (void)written;
        };
        auto writing = spawn(writes);
        co_await yield();
        pair.theirs.close();
        const auto ended = co_await settled(timeout(1h, wait(writing)));
        CHECK(ended.has_value());
    });
}

TEST_CASE("a guest on a simulation is refused: its time would never move") {
    try {
        guest g(run_options().with(make_sim()));
        FAIL("it was made");
    } catch (const std::system_error& e) {
        CHECK(e.code() == std::errc::operation_not_supported);
        CHECK(std::string(e.what()).find("time moves only while its own run() waits") != std::string::npos);
    }
    CHECK_FALSE(guest::is_here());
}

namespace {

/// Another thread's post, that comes while the simulation finds that nothing is to come.
class posted_meanwhile final : public wrapped_backend {
public:
    explicit posted_meanwhile(std::function<void()> post) : wrapped_backend(make_sim()), post_(std::move(post)) {}
    waited wait(time_point deadline, operation_list& finished) noexcept override {
        const waited answer = real().wait(deadline, finished);
        if (answer == waited::never && post_)
            std::exchange(post_, nullptr)();
        return answer;
    }

private:
    std::function<void()> post_;
};

}

TEST_CASE("RUN-49 a post that comes as a simulation has found nothing to do is no deadlock, and runs") {
    std::optional<loop_ref> ref;
    event posted;
    run(run_options().with(std::make_unique<posted_meanwhile>([&] { ref->post([&posted] { posted.set(); }); })), [&]() -> task<> {
        ref.emplace(loop::current().ref());
        co_await posted.wait();
    });
    CHECK(posted.is_set());
}

TEST_CASE("cards without a handle pass the simulation") {
    const auto b = make_sim(1);
    check_cards_without_handle(*b);
}
