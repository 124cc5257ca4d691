// chat_test.cpp - a room: what one says goes to all who are there, in the order of saying, until they leave or their connection breaks.
#include "traffic.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <list>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t client_count = 4;
constexpr int most_said = 5;
constexpr duration longest_wait = 600s;   // 20 words of 2 bytes to each, each held up 3 s, and some

/// Who says it, and which of theirs it is.
struct word {
    std::uint8_t who = 0;
    std::uint8_t number = 0;
    bool operator==(const word&) const = default;
};

word word_of(std::span<const std::byte, 2> bytes) {
    return {std::to_integer<std::uint8_t>(bytes[0]), std::to_integer<std::uint8_t>(bytes[1])};
}

struct member {
    queue<word> to_tell;
    std::vector<word> told;   // put into the queue, ever
    std::size_t sent = 0;     // of these, taken by the system in full
    int who = -1;             // known after its first word
    bool broke = false;
};

struct room {
    std::list<member> all;          // who is or was there
    std::vector<member*> present;   // in order of coming
    std::vector<word> said;         // came to the room, in this order

    void leave(member& m) { std::erase(present, &m); }
    void say(word w) {
        said.push_back(w);
        for (member* const m : present) {
            const bool put = m->to_tell.try_put(w);
            must(put, "a queue without a bound is full");
            m->told.push_back(w);
        }
    }
};

task<> tells(scene& s, member& m, tcp_stream& to) {
    const scene::local here(s);
    for (;;) {
        auto next = co_await settled(m.to_tell.get());
        if (next.threw<queue_shut_down>())
            break;
        const word w = next.value();
        const std::byte bytes[] = {std::byte(w.who), std::byte(w.number)};
        const bool sent = co_await sends(s, to, bytes);
        if (!sent) {
            m.broke = true;
            co_return;
        }
        ++m.sent;
    }
    const auto ended = co_await as_result(to.shutdown());
    if (!ended) {
        s.blame(ended.error());
        m.broke = true;
    }
}

/// Listens until the client has said all; what it is to be told goes out meanwhile, and what is left of it afterwards.
task<> hosts(scene& s, room& r, tcp_stream with) {
    const scene::local here(s);
    member& m = r.all.emplace_back();
    const auto body = [&](task_group& g) -> task<> {
        s.watch(g.spawn(tells, std::ref(s), std::ref(m), std::ref(with)));
        r.present.push_back(&m);
        for (;;) {
            std::byte bytes[2];
            const bool came = co_await fills(s, with, bytes);
            if (!came)
                break;
            const word w = word_of(bytes);
            m.who = w.who;
            r.say(w);
        }
        r.leave(m);
        m.to_tell.shutdown();
    };
    const auto left = co_await settled(with_task_group(body));
    r.leave(m);
    left.rethrow();
}

task<> opens(scene& s, room& r, tcp_listener& listener) {
    const auto body = [&](task_group& g) -> task<> {
        const auto take = [&](tcp_stream with) { s.watch(g.spawn(hosts, std::ref(s), std::ref(r), std::move(with))); };
        co_await accepts(s, listener, take);
    };
    co_await with_task_group(body);
}

struct visitor {
    std::vector<word> heard;
    int said = 0;   // taken by the system in full
    bool heard_the_end = false;
};

task<> listens(scene& s, visitor& v, tcp_stream& with) {
    const scene::local here(s);
    for (;;) {
        std::byte bytes[2];
        const bool came = co_await fills(s, with, bytes, &v.heard_the_end);
        if (!came)
            co_return;
        v.heard.push_back(word_of(bytes));
    }
}

task<> visits(scene& s, visitor& v, address where, std::uint8_t who) {
    const scene::local here(s);
    co_await s.pause(s.up_to(30ms));
    auto with = co_await connects(s, where);
    const auto body = [&](task_group& g) -> task<> {
        s.watch(g.spawn(listens, std::ref(s), std::ref(v), std::ref(with)));
        const int to_say = static_cast<int>(s.choose(most_said + 1));
        for (int i = 0; i < to_say; ++i) {
            co_await s.pause(s.up_to(20ms));
            const std::byte bytes[] = {std::byte(who), std::byte(i)};
            const bool sent = co_await sends(s, with, bytes);
            if (!sent)
                break;
            ++v.said;
        }
        if (s.one_in(4)) {
            s.saw("a sudden leave");   // perhaps with something unread or under way
            g.cancel();
            co_return;
        }
        const auto ended = co_await as_result(with.shutdown());
        if (!ended) {
            s.blame(ended.error());
            g.cancel();   // the room would wait for the end
        }
    };
    co_await with_task_group(body);
}

void check(const room& r, const std::vector<visitor>& visitors) {
    std::vector<int> next(client_count, 0);
    for (const word w : r.said)
        must(w.number == next[w.who]++, "words of one visitor came out of order");
    for (std::size_t i = 0; i < client_count; ++i)
        must(next[i] <= most_said, "a word that nobody said");
    for (const member& m : r.all) {
        must(m.sent <= m.told.size(), "a word was sent twice");
        if (m.who < 0)
            continue;   // its visitor is unknown: it said nothing
        const visitor& v = visitors[static_cast<std::size_t>(m.who)];
        must(v.heard.size() <= m.told.size() && std::equal(v.heard.begin(), v.heard.end(), m.told.begin()),
             "a visitor heard something else than the room told it");
        if (v.heard_the_end && !m.broke)
            must(v.heard.size() == m.told.size(), "a visitor heard the end before it had heard all");
    }
}

task<> story(scene& s) {
    s.bound = 30ms + client_count * longest_wait;
    auto& r = s.make<room>();
    auto& visitors = s.make<std::vector<visitor>>(client_count);
    auto& listener = s.make<tcp_listener>(tcp_listener::bind(loopback()));
    auto opened = s.spawn(opens, std::ref(s), std::ref(r), std::ref(listener));
    std::vector<task_handle<>> visiting;
    for (std::size_t i = 0; i < client_count; ++i)
        visiting.push_back(s.spawn(visits, std::ref(s), std::ref(visitors[i]), listener.local_address(), static_cast<std::uint8_t>(i)));
    for (auto& one : visiting)
        co_await one;
    listener.close();
    co_await opened;
    must(s.alive() == 0, "somebody is left in the room");
    must(r.present.empty(), "the room remembers who has left");
    check(r, visitors);
}

}

TEST_CASE("a chat room tells everybody everything in order until they leave, under a thousand seeds") {
    tell(story, {"reset", "no memory", "no descriptors", "a sudden leave"});
}
