// graceful_shutdown_test.cpp - a server that is told to stop: it hears no new request, finishes those it has, and cuts what is late.
#include "traffic.hpp"

#include <cstddef>
#include <functional>
#include <list>
#include <optional>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t client_count = 3;
constexpr int most_requests = 6;
constexpr duration longest_life = 2s;   // of the server, before it is told to stop
constexpr duration grace = 400ms;
constexpr duration longest_way = 4 * most_requests * 4s;   // of all bytes of a client: each is held up 3 s at the most, and some

using frame = std::array<std::byte, 2>;

/// Where one client is served.
struct desk {
    task_ref server;
    bool is_idle = false;
};

struct office {
    bool closing = false;
    std::list<desk> desks;
    timeout_scope open_hours;
    time_point told_to_stop;
    int at_work = 0;   // requests that have been read, and have no end
    int finished = 0;
    int cut = 0;           // by the end of the grace
    int unreachable = 0;   // the connection broke
};

task<> answers(scene& s, office& o, tcp_stream& with, frame request) {
    const scene::local here(s);
    ++o.at_work;
    const auto work = [&]() -> task<bool> {
        co_await s.pause(s.up_to(600ms));
        request[0] = ~request[0];
        const bool sent = co_await sends(s, with, request);
        co_return sent;
    };
    auto left = co_await settled(work());
    --o.at_work;
    ++(left.is_cancelled() ? o.cut : left.value() ? o.finished : o.unreachable);
    left.rethrow();
}

task<> serves(scene& s, office& o, desk& d, tcp_stream with) {
    const scene::local here(s);
    while (!o.closing) {
        frame request{};
        d.is_idle = true;
        auto came = co_await settled(fills(s, with, request));
        d.is_idle = false;
        if (!came.value())
            co_return;
        if (this_task::handle().cancelling() == 1) {
            // Told to go when the request had come already, so it was given; the client is answered all the same.
            this_task::handle().uncancel();
            s.saw("a request at the last moment");
        }
        co_await answers(s, o, with, request);
    }
}

task<> stops(scene& s, office& o, tcp_listener& listener) {
    co_await s.pause(s.up_to(longest_life));
    o.closing = true;
    o.told_to_stop = s.time();
    listener.close();
    for (desk& d : o.desks)
        if (d.is_idle)
            d.server.cancel();
    o.open_hours.reschedule_after(grace);
}

task<> opens(scene& s, office& o, tcp_listener& listener) {
    const auto body = [&](task_group& g) -> task<> {
        s.watch(g.spawn(stops, std::ref(s), std::ref(o), std::ref(listener)));
        const auto take = [&](tcp_stream with) {
            desk& d = o.desks.emplace_back();
            d.server = s.watch(g.spawn(serves, std::ref(s), std::ref(o), std::ref(d), std::move(with)));
        };
        co_await accepts(s, listener, take);
    };
    const auto left = co_await settled(o.open_hours.run(with_task_group(body)));
    must(s.time() - o.told_to_stop <= grace, "the server went on after its grace");
    must(o.at_work == 0, "a request has no end");
    if (left.threw<timed_out>()) {
        must(o.open_hours.is_expired() && s.time() - o.told_to_stop == grace, "the grace was too short");
        s.saw("the end of the grace");
    } else {
        left.rethrow();
        must(o.cut == 0, "a request was cut though there was time");
    }
}

/// Asks until it has asked enough, or the server does not answer any more.
task<> asks(scene& s, office& o, address where, int& answers_heard) {
    const scene::local here(s);
    co_await s.pause(s.up_to(longest_life));
    auto made = co_await as_result(corun::connect(where));
    if (made.error() == std::errc::connection_refused) {
        must(o.closing, "refused by an open server");
        s.saw("a closed door");
        co_return;
    }
    if (!made) {
        s.blame(made.error());
        co_return;
    }
    tcp_stream with = std::move(*made);
    for (int i = 0; i < most_requests; ++i) {
        const frame request{std::byte(i), std::byte(7)};
        const bool sent = co_await sends(s, with, request);
        frame answer{};
        if (!sent)
            co_return;
        const bool came = co_await fills(s, with, answer);
        if (!came)
            co_return;
        must(answer[0] == ~request[0] && answer[1] == request[1], "a wrong answer");
        ++answers_heard;
        co_await s.pause(s.up_to(100ms));
    }
}

task<> story(scene& s) {
    s.bound = 2 * longest_life + client_count * longest_way;
    auto& o = s.make<office>();
    auto& listener = s.make<tcp_listener>(tcp_listener::bind(loopback()));
    const address where = listener.local_address();
    auto opened = s.spawn(opens, std::ref(s), std::ref(o), std::ref(listener));
    auto& heard = s.make<std::vector<int>>(client_count, 0);
    std::vector<task_handle<>> asking;
    for (int& h : heard)
        asking.push_back(s.spawn(asks, std::ref(s), std::ref(o), where, std::ref(h)));
    co_await opened;
    // What the server left is the clients' ends and what is under way; they hear of it by themselves.
    for (auto& one : asking)
        co_await one;
    int all_heard = 0;
    for (const int h : heard)
        all_heard += h;
    must(all_heard <= o.finished, "an answer that nobody gave");
    if (o.cut > 0)
        s.saw("a request that was cut");
    must(s.alive() == 0, "somebody is left");
}

}

TEST_CASE("a server told to stop finishes what it has within its grace and cuts the rest, under a thousand seeds") {
    tell(story, {"a closed door", "the end of the grace", "a request that was cut", "a request at the last moment", "reset"});
}
