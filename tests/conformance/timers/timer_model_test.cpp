// timer_model_test.cpp - a timer that is armed while the loop waits for a later one, and very many timers at once.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/scale.hpp>
#include <support/virtual_time.hpp>
#include <support/wrapped_backend.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// Calls a function on the loop's way into a wait that may block until a deadline.
class calls_before_wait final : public wrapped_backend {
public:
    explicit calls_before_wait(std::function<void()>& call) : call_(call) {}

    corun::waited wait(time_point deadline, operation_list& finished) noexcept override {
        if (call_ && deadline > now() && deadline != time_point::max())
            std::exchange(call_, nullptr)();
        return wrapped_backend::wait(deadline, finished);
    }

private:
    std::function<void()>& call_;
};

}

TEST_CASE("TMR-16 a timer that a post arms while the loop waits for a later one fires on its own deadline") {
    std::function<void()> call;
    auto options = run_options().with(std::make_unique<calls_before_wait>(call)).real_threads(true);
    bool later_fired = false;
    bool is_before_later = false;
    bool is_early = true;
    run(std::move(options), [&]() -> task<> {
        event fired;
        const auto later = loop::current().time() + 3s;
        auto later_timer = loop::current().call_at(later, [&] {
            later_fired = true;
            fired.set();
        });
        const auto on_loop = [&] {
            const auto deadline = loop::current().time() + 5ms;
            loop::current().call_at(deadline, [&, deadline] {
                const auto at = loop::current().time();
                is_early = at < deadline;
                is_before_later = at < later;
                fired.set();
            });
        };
        // Joined as the loop goes to sleep for the later timer: the post finds it asleep.
        call = [on_loop, ref = loop::current().ref()] { std::thread([&] { ref.post(on_loop); }).join(); };
        co_await fired.wait();
        later_timer.cancel();
    });
    CHECK_FALSE(call);
    CHECK_FALSE(later_fired);
    CHECK(is_before_later);
    CHECK_FALSE(is_early);
}

TEST_CASE("TMR-18 a hundred thousand timers within a second all fire, each at its deadline, in the order of these") {
    const auto count = scaled(100'000);
    std::vector<std::pair<time_point, std::size_t>> armed;
    std::vector<std::pair<time_point, std::size_t>> fired;
    std::size_t off = 0;
    run(virtual_time(), [&]() -> task<> {
        std::uint64_t random = 0x9e3779b97f4a7c15;
        const auto start = loop::current().time();
        for (std::size_t i = 0; i < count; ++i) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            const auto deadline = start + std::chrono::microseconds(1 + random % 999'999);
            armed.emplace_back(deadline, i);
            loop::current().call_at(deadline, [&, deadline, i] {
                fired.emplace_back(deadline, i);
                if (loop::current().time() != deadline)
                    ++off;
            });
        }
        CHECK(loop::current().counters().armed_timers == count);
        co_await sleep_until(start + 1s);
        CHECK(loop::current().counters().armed_timers == 0);
    });
    std::sort(armed.begin(), armed.end());
    CHECK(fired.size() == count);
    CHECK(fired == armed);
    CHECK(off == 0);
}
