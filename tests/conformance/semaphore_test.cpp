// semaphore_test.cpp - permits: never more than there are, in order of arrival, and none lost to a request.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/trace.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

using namespace corun;
using namespace testing;

TEST_CASE("SYN-05 never more than three are inside, in order of arrival, and a newcomer gets no permit that is handed over") {
    std::vector<int> order;
    int inside = 0;
    int most = 0;
    bool overtaken = false;
    run([&]() -> task<> {
        semaphore s(3);
        const auto enters = [&](int which) -> task<> {
            const auto permit = co_await s.acquire();
            order.push_back(which);
            most = std::max(most, ++inside);
            for (int i = 0; i < 3; ++i)
                co_await yield();
            --inside;
        };
        const auto intrudes = [&]() -> task<> {
            for (int i = 0; i < 12; ++i) {
                if (order.size() < 7 && s.try_acquire())   // somebody waits, or was handed a permit
                    overtaken = true;
                co_await yield();
            }
        };
        std::vector<task_handle<>> tasks;
        for (int i = 0; i < 10; ++i)
            tasks.push_back(spawn(enters, i));
        co_await yield();
        co_await intrudes();
        co_await gather(std::move(tasks));
    });
    CHECK(most == 3);
    CHECK(order == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    CHECK_FALSE(overtaken);
}

TEST_CASE("SYN-06 a plain semaphore may be released above its initial count, a bounded one may not") {
    semaphore plain(1);
    plain.release();
    CHECK(plain.try_acquire());
    CHECK(plain.try_acquire());
    CHECK_FALSE(plain.try_acquire());

    bounded_semaphore bounded(1);
    CHECK_THROWS_AS(bounded.release(), usage_error);
    CHECK(bounded.try_acquire());
    bounded.release();
    CHECK(bounded.try_acquire());
}

TEST_CASE("SYN-07 whichever of four tasks is cancelled at whichever step, no permit is lost or made") {
    for (std::size_t victim = 0; victim < 4; ++victim) {
        for (int step = 0; step < 16; ++step) {
            std::size_t left = 0;
            run([&]() -> task<> {
                semaphore s(2);
                const auto enters = [&s]() -> task<> {
                    const auto permit = co_await s.acquire();
                    co_await yield();
                    co_await yield();
                };
                std::vector<task_handle<>> tasks;
                for (int i = 0; i < 4; ++i)
                    tasks.push_back(spawn(enters));
                for (int i = 0; i < step; ++i)
                    co_await yield();
                tasks[victim].cancel();
                for (auto& t : tasks)
                    co_await wait(t);
                while (s.try_acquire())
                    ++left;
            });
            INFO("victim " << victim << ", step " << step);
            CHECK(left == 2);
        }
    }
}
