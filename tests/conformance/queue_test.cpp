// queue_test.cpp - items from task to task: order, room, the end, and nothing lost to a request.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/usage.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

using namespace corun;
using namespace testing;

TEST_CASE("SYN-11 items come in order of arrival; put waits for room and get for an item") {
    std::vector<int> got;
    std::size_t most = 0;
    run([&]() -> task<> {
        queue<int> q(2);
        const auto puts = [&q]() -> task<> {
            for (int i = 0; i < 10; ++i)
                co_await q.put(i);
        };
        auto putting = spawn(puts);
        for (int i = 0; i < 5; ++i)
            co_await yield();
        CHECK(q.size() == 2);
        CHECK_FALSE(putting.is_done());
        for (int i = 0; i < 10; ++i) {
            most = std::max(most, q.size());
            const int item = co_await q.get();
            got.push_back(item);
        }
        CHECK(q.empty());
    });
    CHECK(got == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    CHECK(most == 2);
}

TEST_CASE("SYN-11 a LIFO queue gives the newest item, a priority queue the least") {
    run([]() -> task<> {
        lifo_queue<int> last;
        priority_queue<int> least;
        for (const int item : {2, 3, 1}) {
            CHECK(last.try_put(item));
            CHECK(least.try_put(item));
        }
        for (const int expected : {1, 3, 2}) {
            const int item = co_await last.get();
            CHECK(item == expected);
        }
        for (const int expected : {1, 2, 3}) {
            const int item = co_await least.get();
            CHECK(item == expected);
        }
        CHECK_FALSE(last.try_get().has_value());
    });
}

TEST_CASE("SYN-13 join waits until every item is done; one task_done too many is refused") {
    run([]() -> task<> {
        queue<int> q;
        CHECK(q.try_put(1));
        CHECK(q.try_put(2));
        const auto joins = [&q]() -> task<> { co_await q.join(); };
        auto joining = spawn(joins);
        for (int i = 0; i < 2; ++i) {
            co_await q.get();
            co_await yield();
            CHECK_FALSE(joining.is_done());
            q.task_done();
        }
        co_await joining;
        CHECK(usage_of([&q] { q.task_done(); }) == errc::not_locked);
    });
}

TEST_CASE("SYN-14 an item that arrived for a getter which is cancelled in that turn goes to the next one") {
    int second_got = 0;
    run([&second_got]() -> task<> {
        queue<int> q;
        const auto gets = [&q](int& into) -> task<> {
            const int item = co_await q.get();
            into = item;
        };
        int first_got = 0;
        auto first = spawn(gets, std::ref(first_got));
        auto second = spawn(gets, std::ref(second_got));
        co_await yield();
        co_await yield();
        CHECK(q.try_put(7));
        first.cancel();
        co_await second;
        CHECK(first.is_cancelled());
        CHECK(first_got == 0);
        CHECK(q.empty());
    });
    CHECK(second_got == 7);
}

TEST_CASE("SYN-15 room that came for a putter which is cancelled in that turn goes to the next one, and the item is not put") {
    run([]() -> task<> {
        queue<int> q(1);
        CHECK(q.try_put(1));
        const auto puts = [&q](int item) -> task<> { co_await q.put(item); };
        auto first = spawn(puts, 2);
        auto second = spawn(puts, 3);
        co_await yield();
        co_await yield();
        CHECK(q.try_get() == 1);
        first.cancel();
        co_await second;
        CHECK(first.is_cancelled());
        CHECK(q.try_get() == 3);
        CHECK(q.empty());
    });
}
