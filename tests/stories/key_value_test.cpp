// key_value_test.cpp - a store behind a pool of connections; several requests go out before the first answer is read.
#include "traffic.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t user_count = 4;
constexpr int rounds_each = 4;
constexpr std::size_t pool_size = 2;
constexpr duration longest_round = 2 * 3 * 5 * 4s;   // its bytes there and back: each is held up 3 s at the most, and some

enum class verb : std::uint8_t { put, get };
using frame = std::array<std::byte, 5>;   // verb, key, value, number of the request in its connection, sum

frame frame_of(verb v, std::uint8_t key, std::uint8_t value, std::uint8_t number) {
    const auto sum = static_cast<std::uint8_t>(static_cast<int>(v) + key + value + number);
    return {std::byte(v), std::byte(key), std::byte(value), std::byte(number), std::byte(sum)};
}

std::uint8_t at(const frame& f, std::size_t i) { return std::to_integer<std::uint8_t>(f[i]); }

void check(const frame& f) { must(f == frame_of(verb(at(f, 0)), at(f, 1), at(f, 2), at(f, 3)), "bytes were lost or changed"); }

/// The store's side of a connection: answers in the order of asking.
task<> serves(scene& s, std::map<int, std::uint8_t>& store, tcp_stream with) {
    const scene::local here(s);
    for (std::uint8_t number = 0;; ++number) {
        frame request{};
        const bool came = co_await fills(s, with, request);
        if (!came)
            co_return;
        check(request);
        must(at(request, 3) == number, "a request was overtaken");
        std::uint8_t& value = store[at(request, 1)];
        if (verb(at(request, 0)) == verb::put)
            value = std::max(value, at(request, 2));   // one of a round given up may come after those of the next
        const frame answer = frame_of(verb(at(request, 0)), at(request, 1), value, number);
        const bool sent = co_await sends(s, with, answer);
        if (!sent)
            co_return;
    }
}

task<> keeps(scene& s, std::map<int, std::uint8_t>& store, tcp_listener& listener) {
    const auto body = [&](task_group& g) -> task<> {
        const auto take = [&](tcp_stream with) { s.watch(g.spawn(serves, std::ref(s), std::ref(store), std::move(with))); };
        co_await accepts(s, listener, take);
    };
    co_await with_task_group(body);
}

struct connection {
    tcp_stream stream;
    std::uint8_t next = 0;
};

/// Connections to one place, no more than `pool_size` at a time; those in order are used again.
class pool {
public:
    class lent {
    public:
        lent(pool& p, semaphore::permit permit, connection c) noexcept : of_(&p), permit_(std::move(permit)), c_(std::move(c)) { ++p.out_; }
        lent(lent&& other) noexcept : of_(std::exchange(other.of_, nullptr)), permit_(std::move(other.permit_)), c_(std::move(other.c_)) {}
        lent& operator=(lent&&) = delete;
        ~lent() {
            if (of_)
                --of_->out_;
        }
        connection& operator*() noexcept { return c_; }

        /// Nothing is under way on it: whoever comes next may have it.
        void give_back() { of_->idle_.push_back(std::move(c_)); }

    private:
        pool* of_;
        semaphore::permit permit_;
        connection c_;
    };

    pool(scene& s, address where) : scene_(s), where_(where) {}

    task<lent> borrow() {
        auto permit = co_await free_.acquire();
        must(out_ < pool_size, "more connections than the pool has");
        connection c;
        if (!idle_.empty()) {
            c = std::move(idle_.back());
            idle_.pop_back();
            scene_.saw("a connection used again");
        } else {
            c.stream = co_await connects(scene_, where_);
        }
        co_return lent(*this, std::move(permit), std::move(c));
    }
    bool is_whole() const noexcept { return out_ == 0 && free_.available() == pool_size && idle_.size() <= pool_size; }

private:
    scene& scene_;
    address where_;
    semaphore free_{pool_size};
    std::vector<connection> idle_;
    std::size_t out_ = 0;
};

/// Two puts and a get in one go. What the key may hold now: `values`, more than one after a failure.
task<> round(scene& s, pool& p, std::uint8_t key, std::uint8_t& last, std::vector<std::uint8_t>& values) {
    const scene::local here(s);
    auto held = co_await p.borrow();
    connection& c = *held;
    const auto first = static_cast<std::uint8_t>(last + 1);
    const auto second = static_cast<std::uint8_t>(last + 2);
    last = second;
    const std::uint8_t number = c.next;
    c.next = static_cast<std::uint8_t>(number + 3);
    std::vector<std::byte> requests;
    for (const frame& f : {frame_of(verb::put, key, first, number), frame_of(verb::put, key, second, static_cast<std::uint8_t>(number + 1)),
                           frame_of(verb::get, key, 0, static_cast<std::uint8_t>(number + 2))})
        requests.insert(requests.end(), f.begin(), f.end());
    values.insert(values.end(), {first, second});   // from here on either may have come, or none
    bool is_complete = false;
    // Answers are read while requests are sent: the store stops reading when nobody takes its answers.
    const auto body = [&](task_group& g) -> task<> {
        const auto send_all = [&]() -> task<> {
            const bool sent = co_await sends(s, c.stream, requests);
            if (!sent)
                g.cancel();
        };
        s.watch(g.spawn(send_all));
        for (std::uint8_t i = 0; i < 3; ++i) {
            frame answer{};
            const bool came = co_await fills(s, c.stream, answer);
            if (!came) {
                g.cancel();
                co_return;
            }
            const verb asked = i < 2 ? verb::put : verb::get;
            must(answer == frame_of(asked, key, i == 0 ? first : second, static_cast<std::uint8_t>(number + i)),
                 "the answer to another request, or another value than the last one put");
        }
        is_complete = true;
    };
    co_await with_task_group(body);
    if (!is_complete)
        co_return;
    values = {second};
    held.give_back();
}

/// Has a key of its own; may lose patience with a round, and go on with the next.
task<> uses(scene& s, pool& p, std::uint8_t key, std::vector<std::uint8_t>& values) {
    const scene::local here(s);
    std::uint8_t last = 0;
    for (int i = 0; i < rounds_each; ++i) {
        const duration patience = s.one_in(4) ? s.up_to(200ms) : longest_round * 2 * static_cast<int>(user_count);
        const auto left = co_await settled(timeout(patience, round(s, p, key, last, values)));
        if (left.threw<timed_out>()) {
            must(patience <= 200ms, "no progress");
            s.saw("a round given up");
        } else {
            left.rethrow();
        }
    }
}

task<> story(scene& s) {
    s.bound = user_count * rounds_each * longest_round;
    auto& store = s.make<std::map<int, std::uint8_t>>();
    auto& values = s.make<std::vector<std::vector<std::uint8_t>>>(user_count, std::vector<std::uint8_t>{0});
    auto& listener = s.make<tcp_listener>(tcp_listener::bind(loopback()));
    auto keeping = s.spawn(keeps, std::ref(s), std::ref(store), std::ref(listener));
    {
        pool p(s, listener.local_address());
        const auto body = [&](task_group& g) -> task<> {
            for (std::size_t i = 0; i < user_count; ++i)
                s.watch(g.spawn(uses, std::ref(s), std::ref(p), static_cast<std::uint8_t>(i), std::ref(values[i])));
            co_return;
        };
        co_await with_task_group(body);
        must(p.is_whole(), "the pool lost a connection, or has one too many");
    }
    listener.close();
    co_await keeping;
    must(s.alive() == 0, "somebody is left");
    for (std::size_t i = 0; i < user_count; ++i) {
        const auto& possible = values[i];
        const std::uint8_t held = store.contains(static_cast<int>(i)) ? store[static_cast<int>(i)] : std::uint8_t(0);
        must(std::find(possible.begin(), possible.end(), held) != possible.end(), "the store holds what was put before, or never");
    }
}

}

TEST_CASE("a store behind a pool of connections answers in order and keeps the last value put, under a thousand seeds") {
    tell(story, {"a connection used again", "a round given up", "reset", "no memory"});
}
