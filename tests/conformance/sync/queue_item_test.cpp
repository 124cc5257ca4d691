// queue_item_test.cpp - items whose move or comparison throws, and the order of many.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

using namespace corun;
using namespace testing;

namespace {

struct heavy {
    static inline bool throws = false;
    heavy() = default;
    heavy(heavy&&) {
        if (std::exchange(throws, false))
            throw std::runtime_error("move");
    }
    heavy& operator=(heavy&&) = default;
};

struct fussy {
    static inline int compares_left = -1;   // negative: as many as it takes
    bool operator()(int a, int b) const {
        if (compares_left >= 0 && compares_left-- == 0)
            throw std::runtime_error("compare");
        return a < b;
    }
};

}

TEST_CASE("SYN-49 an item whose move throws in one getter is the next one's") {
    run([]() -> task<> {
        queue<heavy> q;
        const auto gets_one = [&]() -> task<> { (void)co_await q.get(); };
        auto first = spawn(gets_one);
        auto second = spawn(gets_one);
        co_await yield();
        REQUIRE(q.try_put(heavy()));
        heavy::throws = true;
        co_await yield();
        co_await yield();
        CHECK(end_of(first) == "move");
        CHECK(second.is_done());
        CHECK(q.empty());
        second.cancel();
    });
}

TEST_CASE("SYN-49 room that an item could not fill is the next putter's") {
    run([]() -> task<> {
        priority_queue<int, fussy> q(2);
        REQUIRE(q.try_put(1));
        REQUIRE(q.try_put(2));
        auto first = spawn([&]() -> task<> { co_await q.put(3); });
        auto second = spawn([&]() -> task<> { co_await q.put(4); });
        co_await yield();
        CHECK(q.try_get() == 1);
        fussy::compares_left = 0;
        co_await yield();
        fussy::compares_left = -1;
        co_await yield();
        CHECK(end_of(first) == "compare");
        CHECK(second.is_done());
        CHECK(q.try_get() == 2);
        CHECK(q.try_get() == 4);
        second.cancel();
    });
}

TEST_CASE("SYN-49 a comparison that throws, at whichever step, leaves a priority queue as it was") {
    run([]() -> task<> {
        for (int at = 0; at < 8; ++at) {
            priority_queue<int, fussy> q;
            for (const int n : {9, 4, 7, 1, 8, 3, 6, 2})
                REQUIRE(q.try_put(n));
            fussy::compares_left = at;
            bool threw = false;
            try {
                (void)q.try_put(0);
            } catch (const std::runtime_error&) {
                threw = true;
            }
            fussy::compares_left = -1;
            std::vector<int> rest = threw ? std::vector<int>{} : std::vector<int>{0};
            rest.insert(rest.end(), {1, 2, 3, 4, 6, 7, 8, 9});
            CHECK(q.size() == rest.size());
            fussy::compares_left = at;
            std::optional<int> least;
            try {
                least = q.try_get();
            } catch (const std::runtime_error&) {
            }
            fussy::compares_left = -1;
            std::vector<int> got;
            if (least)
                got.push_back(*least);
            while (const auto n = q.try_get())
                got.push_back(*n);
            CHECK(got == rest);
        }
        co_return;
    });
}

TEST_CASE("SYN-49 a priority queue of any size gives its items in order") {
    run([]() -> task<> {
        std::uint32_t seed = 1;
        for (std::size_t size = 1; size < 40; ++size) {
            priority_queue<std::uint32_t> q;
            std::vector<std::uint32_t> items;
            for (std::size_t i = 0; i < size; ++i) {
                seed = seed * 1664525 + 1013904223;
                items.push_back(seed >> 27);
                REQUIRE(q.try_put(items.back()));
            }
            std::sort(items.begin(), items.end());
            for (const std::uint32_t expected : items)
                CHECK(q.try_get() == expected);
        }
        co_return;
    });
}
