// finally_test.cpp - requests and clean-ups: what was asked before the clean-up began is delivered after it, never inside it.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/end_of.hpp>
#include <support/hook_log.hpp>
#include <support/trace.hpp>

#include <array>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// A clean-up that waits, and notes its beginning and its end.
auto cleans_up(trace& t, std::string name = "cleaned") {
    return [&t, name]() -> task<> {
        t.note(name + "?");
        co_await yield();
        co_await sleep_for(1ms);
        t.note(name);
    };
}

/// A body that has a value and leaves a request that no await has been given.
task<int> asked_and_gives(int value) {
    this_task::handle().cancel();
    co_return value;
}

task<> asked_and_throws(const char* what) {
    this_task::handle().cancel();
    throw std::runtime_error(what);
    co_return;
}

/// What the next suspension of this task makes of a request that is left.
task<std::string> next_await() {
    const auto left = co_await settled(yield());
    co_return end_of(left);
}

/// A call on a pool thread that is running when this task is asked to end.
task<int> called_while_asked() {
    auto ours = this_task::handle();
    auto to = loop::current().ref();
    auto call = [to, ours]() mutable {
        to.post([asked = std::move(ours)] { asked.cancel(); });
        return 7;
    };
    co_return co_await to_thread(std::move(call));
}

/// An answer that comes although this task was asked to end, in the way of an operation that can't be stopped.
task<int> answered_when_asked(std::optional<resolver<int>>& answer) {
    const auto begin = [&answer](resolver<int> r) { answer.emplace(std::move(r)); };
    co_return co_await from_callback<int>(begin);
}

}

TEST_CASE("CAN-31 a request that a running call on a thread has kept for later does not disturb the clean-up, and is delivered after it") {
    trace t;
    run([&t]() -> task<> {
        auto h = spawn([&t]() -> task<> { co_await finally(called_while_asked, cleans_up(t)); });
        const auto left = co_await settled(h);
        t.note(end_of(left));
        CHECK(h.cancelling() == 1);
    });
    CHECK(t.joined() == "cleaned? cleaned task_cancelled");
}

TEST_CASE("CAN-31 the same for an answer of a callback, under a timeout, in a failing group, and in shut down") {
    SECTION("cancel") {
        trace t;
        run([&t]() -> task<> {
            std::optional<resolver<int>> answer;
            auto h = spawn([&]() -> task<> { co_await finally(answered_when_asked(answer), cleans_up(t)); });
            co_await yield();
            co_await yield();
            h.cancel();
            answer->set_value(7);
            const auto left = co_await settled(h);
            t.note(end_of(left));
        });
        CHECK(t.joined() == "cleaned? cleaned task_cancelled");
    }
    SECTION("timeout") {
        trace t;
        run([&t]() -> task<> {
            std::optional<resolver<int>> answer;
            const auto answers = [&]() -> task<> {
                while (this_task::handle().id() != 0 && !answer)
                    co_await yield();
                co_await sleep_for(5ms);
                answer->set_value(7);
            };
            auto answering = spawn(answers);
            const auto left = co_await settled(timeout(1ms, finally(answered_when_asked(answer), cleans_up(t))));
            t.note(end_of(left));
            CHECK(this_task::handle().cancelling() == 0);
            const auto next = co_await next_await();
            t.note(next);
            co_await answering;
        });
        CHECK(t.joined() == "cleaned? cleaned timed_out value");
    }
    SECTION("group") {
        trace t;
        run([&t]() -> task<> {
            std::optional<resolver<int>> in_child;
            std::optional<resolver<int>> in_body;
            const auto fails = [&]() -> task<> {
                co_await yield();
                co_await yield();
                throw std::runtime_error("E");
            };
            const auto answers = [&]() -> task<> {
                const auto left = co_await settled(sleep_for(1h));   // until the group fails
                in_child->set_value(1);
                in_body->set_value(2);
                left.rethrow();
            };
            const auto body = [&](task_group& g) -> task<> {
                g.spawn([&]() -> task<> { co_await finally(answered_when_asked(in_child), cleans_up(t, "child")); });
                g.spawn(answers);
                g.spawn(fails);
                co_await finally(answered_when_asked(in_body), cleans_up(t, "body"));
                t.note("not reached");
            };
            const auto left = co_await settled(with_task_group(body));
            t.note(end_of(left));
            CHECK(this_task::handle().cancelling() == 0);
            const auto next = co_await next_await();
            t.note(next);
        });
        CHECK(t.joined() == "child? body? child body group[E] value");
    }
    SECTION("shut down") {
        trace t;
        std::optional<resolver<int>> answer;
        run([&]() -> task<> {
            spawn([&]() -> task<> { co_await finally(answered_when_asked(answer), cleans_up(t)); });
            spawn([&]() -> task<> {
                const auto left = co_await settled(sleep_for(1h));
                answer->set_value(7);
                left.rethrow();
            });
            co_await yield();
            co_await yield();
        });
        CHECK(t.joined() == "cleaned? cleaned");
    }
}

TEST_CASE("CAN-32 a read that is asked to end when its bytes are there: the clean-up runs in full, and no byte is lost") {
    run([]() -> task<> {
        auto pair = co_await connected_pair();
        trace t;
        std::string got;
        std::array<std::byte, 64> buffer;
        const auto reads = [&]() -> task<> {
            const std::size_t count = co_await pair.ours.read(buffer);
            got = as_text(const_bytes(buffer).first(count));
        };
        auto h = spawn([&]() -> task<> { co_await finally(reads, cleans_up(t)); });
        co_await yield();
        co_await write_all(pair.theirs, as_bytes("kept"));
        h.cancel();
        const auto left = co_await settled(h);
        CHECK(h.is_cancelled());
        CHECK(t.joined() == "cleaned? cleaned");
        if (got.empty())
            got = co_await read_some(pair.ours);
        CHECK(got == "kept");
    });
}

TEST_CASE("CAN-33 nested clean-ups all run in full, the innermost first, and one request is delivered once after the last") {
    trace t;
    run([&t]() -> task<> {
        auto h = spawn([&t]() -> task<> {
            const auto inner = [&t]() -> task<> { co_await finally(asked_and_gives(1), cleans_up(t, "inner")); };
            const auto middle = [&]() -> task<> { co_await finally(inner, cleans_up(t, "middle")); };
            const auto left = co_await settled(finally(middle, cleans_up(t, "outer")));
            t.note(end_of(left));
            const auto next = co_await next_await();
            t.note(next);
            left.rethrow();
        });
        const auto left = co_await settled(h);
        t.note(end_of(left));
        CHECK(h.cancelling() == 1);
    });
    CHECK(t.joined() == "inner? inner middle? middle outer? outer cancelled value task_cancelled");
}

TEST_CASE("CAN-34 a request that comes in the clean-up is delivered inside it, also when an earlier one is held") {
    trace t;
    run([&t]() -> task<> {
        event never;
        auto h = spawn([&]() -> task<> {
            const auto cleans = [&]() -> task<> {
                const auto wait = co_await settled(never.wait());
                t.note(end_of(wait));
                co_await yield();   // delivered once
                t.note("cleaned");
            };
            const auto left = co_await settled(finally(asked_and_gives(1), cleans));
            t.note(end_of(left));
            const auto next = co_await next_await();
            t.note(next);
            left.rethrow();
        });
        co_await yield();
        co_await yield();
        CHECK(t.empty());
        h.cancel();
        const auto left = co_await settled(h);
        CHECK(h.is_cancelled());
        CHECK(h.cancelling() == 2);
    });
    CHECK(t.joined() == "cancelled cleaned cancelled value");
}

TEST_CASE("CAN-35 a clean-up that does not suspend: the body's value is kept, and the request is the next suspension's") {
    trace t;
    run([&t]() -> task<> {
        auto h = spawn([&t]() -> task<int> {
            const auto left = co_await settled(finally(asked_and_gives(7), [&t]() -> task<> {
                t.note("cleaned");
                co_return;
            }));
            t.note(end_of(left));
            const auto next = co_await next_await();
            t.note(next);
            co_return co_await finally(asked_and_gives(8), []() -> task<> { co_return; });
        });
        const int value = co_await h;
        CHECK(value == 8);   // it ended before a suspension (5.6)
    });
    CHECK(t.joined() == "cleaned value cancelled");
}

TEST_CASE("CAN-36 an error leaves as it is, and the request that was held is delivered at the next suspension after it") {
    trace t;
    run([&t]() -> task<> {
        auto h = spawn([&t]() -> task<> {
            const auto bodys = co_await settled(finally(asked_and_throws("B"), cleans_up(t)));
            t.note(end_of(bodys));
            const auto next = co_await next_await();
            t.note(next);
            const auto fails = []() -> task<> {
                co_await yield();
                throw std::runtime_error("C");
            };
            const auto cleanups = co_await settled(finally(asked_and_gives(1), fails));
            t.note(end_of(cleanups));
            const auto after = co_await next_await();
            t.note(after);
        });
        co_await h;
    });
    CHECK(t.joined() == "cleaned? cleaned B cancelled C cancelled");
}

TEST_CASE("CAN-37 a held request that is taken back during the clean-up is delivered nowhere") {
    trace t;
    run([&t]() -> task<> {
        auto h = spawn([&t]() -> task<> {
            const auto takes_back = [&t]() -> task<> {
                co_await yield();
                this_task::handle().uncancel();
                // One that comes later and ends here is nobody's concern outside.
                const auto inner = co_await settled(finally(asked_and_gives(1), []() -> task<> { co_await yield(); }));
                t.note(end_of(inner));
                this_task::handle().uncancel();
            };
            const int value = co_await finally(asked_and_gives(7), takes_back);
            t.note(std::to_string(value));
            const auto next = co_await next_await();
            t.note(next);
        });
        co_await h;
        CHECK(h.cancelling() == 0);
    });
    CHECK(t.joined() == "cancelled 7 value");
}

TEST_CASE("CAN-38 a request that a failing group gives back to its task does not disturb the clean-up after the group") {
    trace t;
    run([&t]() -> task<> {
        auto h = spawn([&t]() -> task<> {
            const auto body = [](task_group& g) -> task<> {
                g.spawn([]() -> task<> {
                    const auto left = co_await settled(sleep_for(1h));
                    throw std::runtime_error("E");
                });
                co_await sleep_for(1h);
            };
            const auto left = co_await settled(finally(with_task_group(body), cleans_up(t)));
            t.note(end_of(left));
            const auto next = co_await next_await();
            t.note(next);
        });
        co_await yield();
        co_await yield();
        h.cancel();
        const auto left = co_await settled(h);
        t.note(end_of(left));
    });
    CHECK(t.joined() == "cleaned? cleaned group[E] cancelled value");
}

TEST_CASE("CAN-39 debug mode does not take a request that waits for the next suspension for one that was swallowed") {
    hook_log log;
    run(run_options().debug(true).on_exception(log.hook()), []() -> task<> {
        auto kept = spawn([]() -> task<int> { co_return co_await finally(asked_and_gives(7), []() -> task<> { co_return; }); });
        const int value = co_await kept;
        CHECK(value == 7);
        auto delivered = spawn([]() -> task<> { co_await finally(asked_and_gives(7), yield()); });
        const auto left = co_await settled(delivered);
        CHECK(delivered.is_cancelled());
    });
    CHECK(log.empty());
}
