// dining_test.cpp - philosophers with forks, seats and courses: mutexes, a condition and a barrier, cancelled at any await and begun again.
#include "invariants.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t seat_count = 3;
constexpr std::size_t philosopher_count = 4;
constexpr int course_count = 3;

/// What outlives a philosopher who is cancelled.
struct table {
    std::array<mutex, philosopher_count> forks;
    std::array<int, philosopher_count> holder{};   // of a fork: 1 + who
    mutex door;
    condition seat_free{door};
    std::size_t seats_taken = 0;
    barrier course{philosopher_count};
    int served = 0;                               // courses over
    std::array<int, philosopher_count> eaten{};   // courses
};

class taken_fork {
public:
    taken_fork(table& t, std::size_t which, std::size_t who) : holder_(t.holder[which]) {
        must(holder_ == 0, "a fork in two hands");
        holder_ = static_cast<int>(who) + 1;
    }
    taken_fork(const taken_fork&) = delete;
    ~taken_fork() { holder_ = 0; }

private:
    int& holder_;
};

/// An await in memory that gave its value although a request had come while it waited would have lost the request.
class awaits_here {
public:
    awaits_here() noexcept : turns_(loop::current().counters().turns), asked_(this_task::handle().cancelling()) {}
    void went_on() const {
        const bool has_waited = loop::current().counters().turns != turns_;
        must(!has_waited || this_task::handle().cancelling() == 0, "a request was not delivered");
        must(asked_ == 0 || !has_waited, "a request waited for longer than an await");
    }

private:
    std::uint64_t turns_;
    std::uint32_t asked_;
};

task<> leaves_seat(table& t) {
    const auto in_door = co_await t.door.lock();
    co_await yield();
    must(t.seats_taken > 0, "a seat was left twice");
    --t.seats_taken;
    t.seat_free.notify();
}

task<> eats(scene& s, table& t, std::size_t who) {
    const scene::local here(s);
    const std::size_t first = std::min(who, (who + 1) % philosopher_count);
    const std::size_t second = std::max(who, (who + 1) % philosopher_count);
    awaits_here at;
    const auto one = co_await t.forks[first].lock();
    at.went_on();
    const taken_fork left(t, first, who);
    co_await s.pause(s.up_to(1ms));
    at = awaits_here();
    const auto other = co_await t.forks[second].lock();
    at.went_on();
    const taken_fork right(t, second, who);
    must(t.served == t.eaten[who], "somebody eats ahead of the others");
    co_await s.pause(s.up_to(1ms));
    ++t.eaten[who];
}

/// Takes a seat and eats; the seat is left in any case, though that awaits.
task<> sits(scene& s, table& t, std::size_t who) {
    const scene::local here(s);
    {
        const auto in_door = co_await t.door.lock();
        co_await yield();   // others come to the door meanwhile
        awaits_here at;
        co_await t.seat_free.wait_until([&t] { return t.seats_taken < seat_count; });
        at.went_on();
        ++t.seats_taken;
        must(t.seats_taken <= seat_count, "more at the table than there are seats");
    }
    const auto goes = [&t]() -> task<> {
        // The seat is left though a request comes in the middle of it.
        auto going = corun::spawn(leaves_seat, std::ref(t));
        const auto left = co_await settled(shield(going));
        const auto gone = co_await settled(wait(going));
        left.rethrow();
        gone.rethrow();
    };
    co_await finally(eats(s, t, who), goes);
}

task<> dines(scene& s, table& t, std::size_t who) {
    const scene::local here(s);
    while (t.served < course_count) {
        if (t.eaten[who] == t.served) {
            co_await sits(s, t, who);
            continue;
        }
        // The last to come goes on at once, and ends the course for those who are cancelled while they leave the barrier.
        const int course = t.served;
        co_await t.course.wait();
        must(t.served == course || t.served == course + 1, "a course was left out");
        t.served = course + 1;
    }
}

task<> hosts(scene& s, table& t, std::size_t who, std::uint32_t& cancels) {
    const scene::local here(s);
    for (;;) {
        auto dining = s.spawn(dines, std::ref(s), std::ref(t), who);
        if (cancels == 0) {
            co_await dining;
            co_return;
        }
        --cancels;
        const std::uint32_t turns = s.choose(60);
        for (std::uint32_t i = 0; i < turns; ++i)
            co_await yield();
        if (s.one_in(2))
            co_await s.pause(s.up_to(5ms));
        const bool asked = dining.cancel();
        if (s.one_in(3)) {
            co_await yield();
            if (dining.cancel())
                s.saw("a clean-up that is cancelled");
        }
        co_await wait(dining);
        must(!dining.is_cancelled() || asked, "cancelled, but nobody asked");
        if (!dining.is_cancelled()) {
            dining.get();
            co_return;
        }
        s.saw("a cancelled philosopher");
        for (const int holder : t.holder)
            must(holder != static_cast<int>(who) + 1, "a fork in the hand of one who has gone");
    }
}

task<> story(scene& s) {
    s.bound = 1s;
    auto& t = s.make<table>();
    auto& cancels = s.make<std::uint32_t>(s.choose(12));
    const auto body = [&](task_group& g) -> task<> {
        for (std::size_t i = 0; i < philosopher_count; ++i)
            s.watch(g.spawn(hosts, std::ref(s), std::ref(t), i, std::ref(cancels)));
        co_return;
    };
    co_await with_task_group(body);
    must(s.alive() == 0, "a philosopher is left");
    for (const int courses : t.eaten)
        must(courses == course_count, "a course was eaten twice or not at all");
    must(t.seats_taken == 0 && !t.door.is_locked() && t.course.waiting() == 0, "a seat, the door or the course is held");
    for (const mutex& fork : t.forks)
        must(!fork.is_locked(), "a fork is held");
}

}

TEST_CASE("philosophers who are cancelled at any await leave forks, seats and courses as they should be, under a thousand seeds") {
    tell(story, {"a cancelled philosopher", "a clean-up that is cancelled"});
}
