// retrying_client_test.cpp - a client that gets its answers over a link that loses connections: time limits, back-off, new connections.
#include "traffic.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

constexpr int request_count = 4;
constexpr int most_attempts = 40;
constexpr duration longest_wait = 128s;   // for 8 bytes there and back: each held up 3 s at the most, and some
constexpr duration longest_bad_weather = 91s;

using frame = std::array<std::byte, 4>;

frame frame_of(std::uint32_t number) { return {std::byte(number), std::byte(number >> 8), std::byte(~number), std::byte(0x5a)}; }

struct counts {
    int attempts = 0;
    int served = 0;      // requests that came to the server in full
    int answered = 0;    // answers that the client has taken
    bool fair = false;   // no partition will come any more
};

task<> serves(scene& s, counts& n, tcp_stream with) {
    const scene::local here(s);
    for (;;) {
        frame request{};
        const bool came = co_await fills(s, with, request);
        if (!came)
            co_return;
        must(request[3] == std::byte(0x5a) && request[2] == ~request[0], "bytes were lost or changed");
        ++n.served;
        const bool sent = co_await sends(s, with, request);
        if (!sent)
            co_return;
    }
}

task<> server(scene& s, counts& n, tcp_listener& listener) {
    const auto body = [&](task_group& g) -> task<> {
        const auto take = [&](tcp_stream with) { s.watch(g.spawn(serves, std::ref(s), std::ref(n), std::move(with))); };
        co_await accepts(s, listener, take);
        g.cancel();
    };
    co_await with_task_group(body);
}

task<> weather(scene& s, counts& n) {
    for (std::uint32_t left = s.choose(4); left > 0; --left) {
        co_await s.pause(s.up_to(100ms));
        s.net.partition();
        s.saw("a partition");
        co_await s.pause(s.up_to(30s));
        s.net.heal();
    }
    n.fair = true;
}

task<bool> asks(scene& s, counts& n, std::optional<tcp_stream>& with, address where, std::uint32_t number) {
    if (!with)
        with = co_await connects(s, where);
    const frame request = frame_of(number);
    ++n.attempts;
    const bool sent = co_await sends(s, *with, request);
    if (!sent)
        co_return false;
    frame answer{};
    const bool came = co_await fills(s, *with, answer);
    if (!came)
        co_return false;
    must(answer == request, "the answer to another request");
    co_return true;
}

task<> client(scene& s, counts& n, address where) {
    const scene::local here(s);
    std::optional<tcp_stream> with;
    for (int i = 0; i < request_count; ++i) {
        duration limit = 1s;
        int attempts_in_fair_weather = 0;
        for (bool answered = false; !answered;) {
            attempts_in_fair_weather += n.fair ? 1 : 0;
            must(attempts_in_fair_weather <= most_attempts, "no progress");
            auto left = co_await settled(timeout(limit, asks(s, n, with, where, static_cast<std::uint32_t>(i))));
            if (left.threw<timed_out>())
                s.saw("a time limit");
            else
                answered = left.value();
            if (!answered) {
                with.reset();   // an answer that comes late must not be taken for the next one's
                co_await s.pause(limit / 10);
                limit = std::min<duration>(limit * 2, longest_wait);
            }
        }
        ++n.answered;
        must(n.answered <= n.served && n.served <= n.attempts, "an answer that nobody gave, or to what nobody asked");
    }
}

task<> story(scene& s) {
    s.bound = longest_bad_weather + (1 + request_count * most_attempts) * longest_wait * 11 / 10;
    auto& n = s.make<counts>();
    auto& listener = s.make<tcp_listener>(tcp_listener::bind(loopback()));
    auto serving = s.spawn(server, std::ref(s), std::ref(n), std::ref(listener));
    auto changing = s.spawn(weather, std::ref(s), std::ref(n));
    co_await client(s, n, listener.local_address());
    co_await changing;
    listener.close();
    co_await serving;
    must(n.answered == request_count, "a request was not answered once");
    must(s.alive() == 0, "a connection outlived the server");
}

}

TEST_CASE("a client that tries again gets every answer once over a link that breaks, under a thousand seeds") {
    tell(story, {"a partition", "a time limit", "reset", "no memory"});
}
