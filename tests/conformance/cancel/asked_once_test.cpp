// asked_once_test.cpp - what comes twice and has its effect once: requests, failures, ends.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/end_of.hpp>
#include <support/lifetimes.hpp>
#include <support/trace.hpp>
#include <support/wrapped_backend.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// Counts what the backend is asked to cancel, and answers as a kernel may: not before the next wait.
class slow_to_cancel_backend final : public wrapped_backend {
public:
    explicit slow_to_cancel_backend(int& cancels) : cancels_(cancels) {}
    bool cancel(operation& o) noexcept override {
        ++cancels_;
        asked_ = &o;
        return false;
    }
    waited wait(time_point deadline, operation_list& finished) noexcept override {
        if (operation* const o = std::exchange(asked_, nullptr))
            real().cancel(*o);
        return real().wait(deadline, finished);
    }

private:
    int& cancels_;
    operation* asked_ = nullptr;
};

}

TEST_CASE("CAN-41 an operation is asked to end once, however often its task is") {
    int cancels = 0;
    run(run_options().with(std::make_unique<slow_to_cancel_backend>(cancels)), [&cancels]() -> task<> {
        auto pair = co_await connected_pair();
        auto reads = spawn([&pair]() -> task<> {
            std::array<std::byte, 1> buffer;
            (void)co_await pair.ours.read(buffer);
        });
        co_await yield();
        co_await yield();
        const int before = cancels;
        for (int i = 0; i < 3; ++i)
            CHECK(reads.cancel());
        (void)co_await settled(reads);
        CHECK(cancels - before == 1);
        CHECK(end_of(reads) == "cancelled");
        CHECK(reads.cancelling() == 3);
    });
}

TEST_CASE("GRP-31 two children that fail in one turn ask the group's owner to end once, and nothing of it is left over") {
    run([]() -> task<> {
        const auto fails = [](std::string what) -> task<> {
            co_await yield();
            throw std::runtime_error(what);
        };
        const auto left = co_await settled(with_task_group([&fails](task_group& g) -> task<> {
            g.spawn(fails, "E1");
            g.spawn(fails, "E2");
            co_await sleep_for(1h);
        }));
        CHECK(end_of(left) == "group[E1 E2]");
        CHECK(this_task::handle().cancelling() == 0);
        const auto next = co_await settled(yield());
        CHECK(end_of(next) == "value");
    });
}

TEST_CASE("GRP-32 cancel() of a group whose last child has ended asks its owner for nothing") {
    run([]() -> task<> {
        std::optional<std::uint32_t> asked;
        task_group* group = nullptr;
        auto owner = spawn([&group, &asked]() -> task<> {
            co_await with_task_group([&](task_group& g) -> task<> {
                group = &g;
                auto child = g.spawn([]() -> task<> { co_await yield(); });
                // After the group's own bookkeeping, before its owner goes on.
                child.on_done([&group, &asked, me = this_task::handle()] {
                    group->cancel();
                    asked = me.cancelling();
                });
                co_return;
            });
            const auto next = co_await settled(yield());
            CHECK(end_of(next) == "value");
        });
        co_await owner;
        CHECK(asked == 0u);
    });
}

TEST_CASE("GRP-33 a body that is cancelled from outside and ends its group on the way leaves as cancelled, once") {
    trace t;
    run([&t]() -> task<> {
        auto h = spawn([&t]() -> task<> {
            const auto left = co_await settled(with_task_group([](task_group& g) -> task<> {
                const auto end = co_await settled(sleep_for(1h));
                g.cancel();
                end.rethrow();
            }));
            t.note(end_of(left));
            const auto next = co_await settled(yield());
            t.note(end_of(next));
        });
        co_await yield();
        h.cancel();
        co_await h;
        CHECK(h.cancelling() == 1);
    });
    CHECK(t.joined() == "cancelled value");
}

TEST_CASE("GRP-34 a request that a group's body makes while it passes on one is delivered after the group, with or without its cancel()") {
    for (const bool cancels_group : {false, true}) {
        INFO(cancels_group);
        trace t;
        run([&]() -> task<> {
            auto h = spawn([&]() -> task<> {
                const auto left = co_await settled(with_task_group([cancels_group](task_group& g) -> task<> {
                    const auto end = co_await settled(sleep_for(1h));
                    this_task::handle().cancel();
                    if (cancels_group)
                        g.cancel();
                    end.rethrow();
                }));
                t.note(end_of(left));
                const auto next = co_await settled(yield());
                t.note(end_of(next));
                const auto last = co_await settled(yield());
                t.note(end_of(last));
            });
            co_await yield();
            h.cancel();
            co_await h;
            CHECK(h.cancelling() == 2);
        });
        CHECK(t.joined() == "cancelled cancelled value");
    }
}

TEST_CASE("CBK-31 a second request, between the answer and the resumption, is the same cancellation") {
    run([]() -> task<> {
        trace t;
        std::optional<resolver<int>> kept;
        auto h = spawn([&]() -> task<> {
            const auto waits = [&]() -> task<> {
                (void)co_await from_callback<int>([&kept](resolver<int> r) {
                    r.on_cancel([] {});
                    kept.emplace(std::move(r));
                });
            };
            const auto end = co_await settled(waits());
            t.note(end_of(end));
            const auto next = co_await settled(yield());
            t.note(end_of(next));
        });
        co_await yield();
        h.cancel();
        kept->set_cancelled();
        // Before, while and after the answer comes back to the loop, until the task has resumed.
        while (t.empty()) {
            h.cancel();
            co_await yield();
        }
        co_await h;
        CHECK(t.joined() == "cancelled value");
    });
}

TEST_CASE("CBK-33 the function of on_cancel goes when it has been called, and at the latest with the await") {
    run([]() -> task<> {
        lifetimes called;
        lifetimes uncalled;
        std::optional<resolver<int>> kept;
        const auto waits = [&kept](lifetimes& l) -> task<int> {
            const int value = co_await from_callback<int>([&kept, &l](resolver<int> r) {
                r.on_cancel([own = counted(l)] {});
                kept.emplace(std::move(r));
            });
            CHECK(l.alive() == 0);
            co_return value;
        };
        auto first = spawn(waits, std::ref(called));
        co_await yield();
        CHECK(called.alive() == 1);
        first.cancel();
        CHECK(called.alive() == 0);
        kept->set_value(7);
        (void)co_await settled(first);

        auto second = spawn(waits, std::ref(uncalled));
        co_await yield();
        CHECK(uncalled.alive() == 1);
        kept->set_value(7);
        (void)co_await settled(second);
        CHECK(uncalled.made > 0);
    });
}

TEST_CASE("CBK-34 with detach_on_cancel an answer that on_cancel's function gives is given, and the request waits for the next await") {
    run([]() -> task<> {
        trace t;
        std::optional<resolver<int>> kept;
        auto h = spawn([&]() -> task<> {
            const auto waits = [&]() -> task<int> {
                const int value = co_await from_callback<int>([&kept](resolver<int> r) {
                    r.on_cancel([&kept] { kept->set_value(7); });
                    r.detach_on_cancel();
                    kept.emplace(std::move(r));
                });
                co_return value;
            };
            auto end = co_await settled(waits());
            t.note(end.has_value() ? std::to_string(end.value()) : end_of(end));
            const auto next = co_await settled(yield());
            t.note(end_of(next));
        });
        co_await yield();
        h.cancel();
        (void)co_await settled(h);
        CHECK(t.joined() == "7 cancelled");
    });
}
