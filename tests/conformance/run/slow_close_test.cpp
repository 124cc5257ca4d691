// slow_close_test.cpp - the end of a run with operations pending, also on a backend that needs turns to end them and to close.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/hook_log.hpp>
#include <support/os.hpp>
#include <support/wrapped_backend.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

struct slow_calls {
    int delay = 0;                     ///< waits between a cancel or a close and its effect
    std::size_t pending = 0;           ///< operations that the backend has
    std::size_t most_pending = 0;      ///< the most of them at once
    std::size_t cancels = 0;           ///< requests of the core
    std::size_t waits_to_cancel = 0;   ///< waits while a cancel was on its way
    std::size_t pending_at_end = 0;    ///< operations that the backend had when it was destroyed
};

/// The default backend, but a cancel and a close take effect some waits later: as with the rings and ports of other systems.
class slow_backend final : public wrapped_backend {
public:
    explicit slow_backend(slow_calls& calls) : calls_(calls) {}
    ~slow_backend() override { calls_.pending_at_end = calls_.pending; }

    submitted submit(operation& o) noexcept override {
        const submitted s = real().submit(o);
        if (s == submitted::pending)
            calls_.most_pending = std::max(calls_.most_pending, ++calls_.pending);
        return s;
    }
    bool cancel(operation& o) noexcept override {
        ++calls_.cancels;
        cancelling_.push_back({&o, calls_.delay});
        return false;
    }
    std::error_code close(handle h) noexcept override {
        closing_.push_back({h, calls_.delay});
        return {};
    }
    waited wait(time_point deadline, operation_list& finished) noexcept override {
        const bool has_to_turn = !cancelling_.empty() || !closing_.empty();
        calls_.waits_to_cancel += !cancelling_.empty();
        take_effect();
        operation_list found;
        const waited w = real().wait(has_to_turn ? time_point::min() : deadline, found);
        while (operation* const o = found.pop_front()) {
            --calls_.pending;
            std::erase_if(cancelling_, [o](const auto& c) { return c.first == o; });
            finished.push_back(*o);
        }
        return has_to_turn && w == waited::never ? waited::nothing : w;
    }

    // No handle tells that it has to turn.
    native_handle wait_handle() noexcept override { return no_native_handle; }
    bool on_news(void (*)(void*) noexcept, void*) noexcept override { return false; }
    void block(time_point deadline) noexcept override {
        if (cancelling_.empty() && closing_.empty())
            real().block(deadline);
    }

private:
    void take_effect() noexcept {
        for (auto& [o, left] : cancelling_)
            if (--left == 0)
                real().cancel(*o);
        for (auto& [h, left] : closing_)
            if (--left == 0)
                (void)real().close(h);
        std::erase_if(cancelling_, [](const auto& c) { return c.second <= 0; });
        std::erase_if(closing_, [](const auto& c) { return c.second <= 0; });
    }

    slow_calls& calls_;
    std::vector<std::pair<operation*, int>> cancelling_;
    std::vector<std::pair<handle, int>> closing_;
};

/// A hundred connections and listeners, each with all that can be pending at it.
struct busy_objects {
    std::vector<stream_pair> pairs;
    std::vector<tcp_listener> listeners;
    std::size_t begun = 0;
    std::size_t cancelled = 0;

    task<> open(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            auto p = co_await connected_pair();
            pairs.push_back(std::move(p));
            listeners.push_back(tcp_listener::bind(loopback()));
        }
    }
    template <class Operation>
    void start(Operation make) {
        ++begun;
        const auto waits = [](busy_objects& own, Operation makes) -> task<> {
            const auto left = co_await settled(makes());
            own.cancelled += left.is_cancelled();
            left.rethrow();
        };
        spawn(waits, std::ref(*this), std::move(make));
    }
    void start_all(std::vector<std::array<std::byte, 16>>& buffers) {
        buffers.resize(pairs.size());
        for (std::size_t i = 0; i < pairs.size(); ++i) {
            start([this, i, &buffers] { return pairs[i].ours.read(buffers[i]); });
            start([this, i] { return fill(pairs[i].ours); });
            start([this, i] { return listeners[i].accept(); });
        }
    }

private:
    /// Writes until the peer takes no more, and on.
    static task<> fill(tcp_stream& s) {
        s.set_send_buffer_size(4096);
        const std::vector<std::byte> much(65536);
        for (;;)
            co_await s.write(much);
    }
};

/// Ends a run with 300 operations pending on such a backend.
slow_calls end_beside_pending_operations(int delay) {
    slow_calls calls;
    calls.delay = delay;
    busy_objects objects;
    std::vector<std::array<std::byte, 16>> buffers;
    run(run_options().with(std::make_unique<slow_backend>(calls)), [&]() -> task<> {
        co_await objects.open(100);
        objects.start_all(buffers);
        while (loop::current().counters().pending_operations < objects.begun)
            co_await yield();
    });
    CHECK(objects.begun == 300);
    CHECK(objects.cancelled == 300);
    CHECK(calls.cancels == 300);   // each was asked once
    CHECK(calls.most_pending == 300);
    return calls;
}

}

TEST_CASE("SHD-06 a run that ends beside 300 pending reads, writes and accepts cancels them all, and has every answer before it returns") {
    const auto descriptors = os::open_descriptors();
    const slow_calls calls = end_beside_pending_operations(1);
    CHECK(calls.pending_at_end == 0);
    CHECK(os::open_descriptors() == descriptors);
}

TEST_CASE("SHD-05 a backend that needs turns to end its operations is turned until it has, and nothing is open when run has returned") {
    const auto descriptors = os::open_descriptors();
    const slow_calls calls = end_beside_pending_operations(7);
    CHECK(calls.waits_to_cancel >= 7);
    CHECK(calls.pending_at_end == 0);
    CHECK(os::open_descriptors() == descriptors);
}

TEST_CASE("SHD-05 operations that begin anew after each cancel are ended when the grace is over, also where that takes turns") {
    slow_calls calls;
    calls.delay = 7;
    hook_log log;
    run(run_options().with(std::make_unique<slow_backend>(calls)).shutdown_grace(20ms).on_exception(log.hook()), []() -> task<> {
        const auto reads_for_ever = [](stream_pair own) -> task<> {
            for (;;) {
                std::array<std::byte, 16> buffer;
                const auto left = co_await settled(own.ours.read(buffer));
            }
        };
        auto pair = co_await connected_pair();
        spawn(reads_for_ever, std::move(pair));
        while (loop::current().counters().pending_operations == 0)
            co_await yield();
    });
    CHECK(log.size() == 1);   // the report that it did not stop
    CHECK(calls.cancels >= 2);
    CHECK(calls.pending_at_end == 0);
}
