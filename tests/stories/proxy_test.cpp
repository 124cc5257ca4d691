// proxy_test.cpp - client, proxy, server: bytes go through both ways, an end goes through as an end, and a session may be cut anywhere.
#include "traffic.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <list>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t client_count = 3;
constexpr std::size_t most_bytes = 60;
constexpr duration longest_way = 4 * most_bytes * 4s;   // of a client's bytes, there and back, over two links

std::byte byte_of(std::size_t who, std::size_t position) { return static_cast<std::byte>((position * 7 + who * 31) % 251); }

/// What became of one client's bytes; every counter is of bytes that the system took or gave.
struct journey {
    std::size_t who = 0;
    std::size_t size = 0;
    std::size_t sent = 0;        // client to proxy
    std::size_t forth_in = 0;    // the proxy read them
    std::size_t forth_out = 0;   // and wrote them on
    std::size_t served = 0;      // the server read them
    std::size_t answered = 0;    // the server's, all of it after the client's end
    std::size_t back_in = 0;
    std::size_t back_out = 0;
    std::size_t received = 0;
    bool server_saw_the_end = false;
    bool client_saw_the_end = false;
    bool was_cut = false;
    bool broke = false;
};

struct town {
    std::vector<journey> journeys{client_count};
    std::list<task_ref> sessions;
    int sessions_alive = 0;
};

/// Carries bytes one way until their end, which it passes on. False if a connection broke.
task<bool> carries(scene& s, tcp_stream& from, tcp_stream& to, std::size_t& in, std::size_t& out) {
    const scene::local here(s);
    std::array<std::byte, 16> buffer;
    for (;;) {
        const auto count = co_await as_result(from.read(buffer));
        if (!count) {
            s.blame(count.error());
            co_return false;
        }
        if (*count == 0)
            break;
        in += *count;
        const bool sent = co_await sends(s, to, std::span(buffer).first(*count), &out);
        if (!sent)
            co_return false;
    }
    const auto ended = co_await as_result(to.shutdown());
    if (!ended)
        s.blame(ended.error());
    co_return ended.has_value();
}

/// Both ways at once; one that broke ends the other.
task<> passes_through(scene& s, town& t, tcp_stream client, address server) {
    const scene::local here(s);
    std::byte who{};
    const bool came = co_await fills(s, client, std::span(&who, 1));
    if (!came)
        co_return;
    must(std::to_integer<std::size_t>(who) < client_count, "bytes were lost or changed");
    journey& j = t.journeys[std::to_integer<std::size_t>(who)];
    const auto session = [&]() -> task<> {
        auto made = co_await as_result(corun::connect(server));
        if (!made) {
            s.blame(made.error());
            j.broke = true;
            co_return;
        }
        auto onward = std::move(*made);
        const bool said = co_await sends(s, onward, std::span(&who, 1));
        j.broke = j.broke || !said;
        if (!said)
            co_return;
        const auto body = [&](task_group& g) -> task<> {
            const auto one_way = [&](tcp_stream& from, tcp_stream& to, std::size_t& in, std::size_t& out) -> task<> {
                const bool whole = co_await carries(s, from, to, in, out);
                if (!whole) {
                    j.broke = true;
                    g.cancel();
                }
            };
            s.watch(g.spawn(one_way, std::ref(client), std::ref(onward), std::ref(j.forth_in), std::ref(j.forth_out)));
            s.watch(g.spawn(one_way, std::ref(onward), std::ref(client), std::ref(j.back_in), std::ref(j.back_out)));
            co_return;
        };
        co_await with_task_group(body);
    };
    // Without descriptors the server may never take the connection.
    const auto left = co_await settled(timeout(longest_way, session()));
    j.was_cut = !left.has_value();
    if (left.threw<timed_out>())
        s.saw("a session given up");
    else
        left.rethrow();
}

task<> proxies(scene& s, town& t, tcp_listener& listener, address server) {
    const auto body = [&](task_group& g) -> task<> {
        const auto take = [&](tcp_stream with) {
            t.sessions.push_back(s.watch(g.spawn(passes_through, std::ref(s), std::ref(t), std::move(with), server)));
        };
        co_await accepts(s, listener, take);
    };
    co_await with_task_group(body);
}

/// Answers only once it has seen the client's end: as many bytes as came.
task<> serves(scene& s, town& t, tcp_stream with) {
    const scene::local here(s);
    std::byte who{};
    const bool came = co_await fills(s, with, std::span(&who, 1));
    if (!came)
        co_return;
    journey& j = t.journeys[std::to_integer<std::size_t>(who)];
    while (!j.server_saw_the_end) {
        std::byte one{};
        const bool next = co_await fills(s, with, std::span(&one, 1), &j.server_saw_the_end);
        if (!next)
            break;
        must(one == byte_of(j.who, j.served), "bytes were lost, changed or doubled on their way there");
        ++j.served;
    }
    if (!j.server_saw_the_end)
        co_return;
    std::vector<std::byte> answer(j.served);
    for (std::size_t i = 0; i < answer.size(); ++i)
        answer[i] = ~byte_of(j.who, i);
    co_await sends(s, with, answer, &j.answered);
}

task<> server(scene& s, town& t, tcp_listener& listener) {
    const auto body = [&](task_group& g) -> task<> {
        const auto take = [&](tcp_stream with) { s.watch(g.spawn(serves, std::ref(s), std::ref(t), std::move(with))); };
        co_await accepts(s, listener, take);
    };
    co_await with_task_group(body);
}

task<> client(scene& s, journey& j, address proxy) {
    const scene::local here(s);
    auto with = co_await connects(s, proxy);
    std::vector<std::byte> data{std::byte(j.who)};
    for (std::size_t i = 0; i < j.size; ++i)
        data.push_back(byte_of(j.who, i));
    const bool sent = co_await sends(s, with, data, &j.sent);
    if (!sent)
        co_return;
    const auto ended = co_await as_result(with.shutdown());
    if (!ended) {
        s.blame(ended.error());
        co_return;
    }
    while (!j.client_saw_the_end) {
        std::byte one{};
        const bool next = co_await fills(s, with, std::span(&one, 1), &j.client_saw_the_end);
        if (!next)
            co_return;
        must(one == ~byte_of(j.who, j.received), "bytes were lost, changed or doubled on their way back");
        ++j.received;
    }
}

/// Cuts sessions, wherever they stand.
task<> cuts(scene& s, town& t) {
    for (std::uint32_t left = s.choose(3); left > 0; --left) {
        co_await s.pause(s.up_to(60ms));
        const std::uint32_t turns = s.choose(20);
        for (std::uint32_t i = 0; i < turns; ++i)
            co_await yield();
        if (t.sessions.empty())
            continue;
        const auto one =
            std::next(t.sessions.begin(), static_cast<std::ptrdiff_t>(s.choose(static_cast<std::uint32_t>(t.sessions.size()))));
        if (one->cancel())
            s.saw("a cut session");
    }
}

void check(scene& s, const journey& j) {
    must(j.sent <= j.size + 1 && j.forth_out <= j.forth_in && j.served <= j.forth_out && j.answered <= j.served, "bytes from nowhere");
    must(j.forth_in <= j.sent && j.back_in <= j.answered && j.back_out <= j.back_in && j.received <= j.back_out, "bytes from nowhere");
    if (j.server_saw_the_end && !j.was_cut && !j.broke)
        must(j.served == j.size, "the end overtook bytes on their way there");
    if (j.client_saw_the_end && !j.was_cut && !j.broke && j.server_saw_the_end && j.answered == j.served) {
        must(j.received == j.size, "the end overtook bytes on their way back");
        s.saw("a whole journey");
    }
}

task<> story(scene& s) {
    s.bound = 2 * client_count * longest_way;
    auto& t = s.make<town>();
    auto& at_server = s.make<tcp_listener>(tcp_listener::bind(loopback()));
    auto& at_proxy = s.make<tcp_listener>(tcp_listener::bind(loopback()));
    auto serving = s.spawn(server, std::ref(s), std::ref(t), std::ref(at_server));
    auto proxying = s.spawn(proxies, std::ref(s), std::ref(t), std::ref(at_proxy), at_server.local_address());
    auto cutting = s.spawn(cuts, std::ref(s), std::ref(t));
    std::vector<task_handle<>> clients;
    for (std::size_t i = 0; i < client_count; ++i) {
        t.journeys[i].who = i;
        t.journeys[i].size = s.choose(most_bytes);
        clients.push_back(s.spawn(client, std::ref(s), std::ref(t.journeys[i]), at_proxy.local_address()));
    }
    for (auto& one : clients)
        co_await one;
    at_proxy.close();
    co_await proxying;
    at_server.close();
    co_await serving;
    co_await cutting;
    must(s.alive() == 0, "somebody is left");
    for (const journey& j : t.journeys)
        check(s, j);
}

}

TEST_CASE("a proxy carries bytes and ends both ways, and a session that is cut leaves nothing behind, under a thousand seeds") {
    tell(story, {"a whole journey", "a cut session", "a session given up", "reset", "no memory", "no descriptors"});
}
