// rate_limiter_test.cpp - permits that come back a second after they were taken: in no second more calls than permits, whoever gives up.
#include "invariants.hpp"

#include <cstddef>
#include <functional>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t caller_count = 6;
constexpr std::size_t calls_each = 4;
constexpr duration window = 1s;

/// At most `permits` calls begin within any window.
class rate_limiter {
public:
    explicit rate_limiter(std::size_t permits) : all_(permits), free_(permits) {}

    /// Waits for leave to call. A request ends the wait, and takes nothing.
    task<> leave() {
        auto permit = co_await free_.acquire();
        permit.keep();
        ++out_;
        loop::current().call_after(window, [this] {
            --out_;
            free_.release();
        });
    }
    std::size_t permits() const noexcept { return all_; }
    bool all_are_back() const noexcept { return out_ == 0 && free_.available() == all_; }

private:
    std::size_t all_;
    semaphore free_;
    std::size_t out_ = 0;
};

struct counts {
    std::vector<time_point> began;   // of calls, in order
    std::size_t calls = 0;
    std::size_t given_up = 0;   // for want of patience
    std::size_t cancelled = 0;
};

task<> calls_once(scene& s, rate_limiter& limiter, counts& n) {
    const scene::local here(s);
    const duration patience = s.one_in(3) ? s.up_to(2s) : duration(1h);
    const time_point since = s.time();
    const auto left = co_await settled(timeout(patience, limiter.leave()));
    if (left.threw<timed_out>()) {
        must(s.time() - since >= patience, "patience ended early");
        ++n.given_up;
        s.saw("a call given up");
        co_return;
    }
    left.rethrow();
    n.began.push_back(s.time());
    ++n.calls;
    co_await s.pause(s.up_to(300ms));
}

task<> calls(scene& s, rate_limiter& limiter, counts& n) {
    const scene::local here(s);
    for (std::size_t i = 0; i < calls_each; ++i) {
        auto calling = s.spawn(calls_once, std::ref(s), std::ref(limiter), std::ref(n));
        if (s.one_in(4)) {
            if (s.one_in(2))
                co_await s.pause(s.up_to(3s));
            else
                co_await yield();
            const bool asked = calling.cancel();
            co_await wait(calling);
            // All that it awaits is in memory: whatever it had been given, the request comes first.
            must(asked == calling.is_cancelled(), "a request was not delivered, or delivered but never made");
            if (calling.is_cancelled())
                ++n.cancelled;
            s.saw("a cancelled call");
        } else {
            co_await calling;
        }
    }
}

task<> story(scene& s) {
    auto& limiter = s.make<rate_limiter>(1 + s.choose(3));
    // Each call waits for its window and makes a pause.
    s.bound = window * (caller_count * calls_each / limiter.permits() + 2) + calls_each * 4s;
    auto& n = s.make<counts>();
    const auto body = [&](task_group& g) -> task<> {
        for (std::size_t i = 0; i < caller_count; ++i)
            s.watch(g.spawn(calls, std::ref(s), std::ref(limiter), std::ref(n)));
        co_return;
    };
    co_await with_task_group(body);
    must(s.alive() == 0, "a caller outlived the group");
    for (std::size_t i = limiter.permits(); i < n.began.size(); ++i)
        must(n.began[i] - n.began[i - limiter.permits()] >= window, "more calls in a window than permits");
    must(n.calls + n.given_up <= caller_count * calls_each, "a call ended twice");
    must(n.calls + n.given_up + n.cancelled >= caller_count * calls_each, "a call has no end");
    co_await s.pause(window);
    must(limiter.all_are_back(), "a permit is lost, or there is one too many");
}

}

TEST_CASE("a rate limiter never lets more calls begin in a window than it has permits, under a thousand seeds") {
    tell(story, {"a call given up", "a cancelled call"});
}
