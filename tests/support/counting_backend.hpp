// counting_backend.hpp - the default backend, with its waits and wake-ups counted.
#pragma once

#include <corun/loop.hpp>
#include <support/wrapped_backend.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <utility>

namespace testing {

/// Outlives the loop whose backend is counted.
struct backend_calls {
    std::atomic<std::uint64_t> waits = 0;            ///< wait(), however short
    std::atomic<std::uint64_t> blocking_waits = 0;   ///< those whose deadline was still to come
    std::atomic<std::uint64_t> endless_waits = 0;    ///< those without a deadline
    std::atomic<std::uint64_t> wakes = 0;
    std::function<void()> before_endless_wait;   ///< called on the loop's thread as it goes to sleep for good
};

class counting_backend final : public wrapped_backend {
public:
    explicit counting_backend(backend_calls& calls) : calls_(calls) {}

    corun::waited wait(corun::time_point deadline, corun::operation_list& finished) noexcept override {
        ++calls_.waits;
        if (deadline > now())
            ++calls_.blocking_waits;
        if (deadline == corun::time_point::max()) {
            ++calls_.endless_waits;
            if (calls_.before_endless_wait)
                calls_.before_endless_wait();
        }
        return real().wait(deadline, finished);
    }
    void wake() noexcept override {
        ++calls_.wakes;
        real().wake();
    }

private:
    backend_calls& calls_;
};

/// Has another thread post `what` to the current loop, once, as that goes to sleep for good; joined on the loop's way into its sleep.
inline void post_as_it_sleeps(backend_calls& calls, std::function<void()> what) {
    calls.before_endless_wait = [what = std::move(what), ref = corun::loop::current().ref(), have_posted = false]() mutable {
        if (!std::exchange(have_posted, true))
            std::thread([&] { ref.post(what); }).join();
    };
}

}
