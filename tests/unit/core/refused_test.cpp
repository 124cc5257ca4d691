// refused_test.cpp - objects of a runner's loop in another one's, and user code that throws where nobody awaits it.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/hook_log.hpp>
#include <support/usage.hpp>

#include <array>
#include <cstddef>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("a task or a generator of another loop is refused: it is awaited where it belongs") {
    runner one;
    task_handle<> kept;
    std::optional<generator<int>> begun;
    one.run([&]() -> task<> {
        kept = spawn([]() -> task<> { co_await sleep_for(1h); });
        begun.emplace([]() -> generator<int> {
            co_yield 1;
            co_yield 2;
        }());
        const auto first = co_await begun->next();
        CHECK(first == 1);
    });
    runner two;
    two.run([&]() -> task<> {
        const auto joined = co_await settled([&]() -> task<> { co_await kept; });
        CHECK(usage_of(joined) == errc::foreign_loop);
        const auto shielded = co_await settled([&]() -> task<> { co_await shield(kept); });
        CHECK(usage_of(shielded) == errc::foreign_loop);
        const auto next = co_await settled([&]() -> task<> { (void)co_await begun->next(); });
        CHECK(usage_of(next) == errc::foreign_loop);
    });
    CHECK(usage_of([&kept] { kept.get(); }) == errc::not_done);
    one.close();
    CHECK(usage_of([&one] { one.run([]() -> task<> { co_return; }); }) == errc::closed_loop);
}

TEST_CASE("what the hook for left-over tasks throws is reported, and they are cancelled all the same") {
    hook_log log;
    bool cleaned_up = false;
    const auto throws = [](const std::vector<task_ref>&) { throw std::runtime_error("L"); };
    run(run_options().on_exception(log.hook()).on_leftovers(throws), [&cleaned_up]() -> task<> {
        spawn([&cleaned_up]() -> task<> {
            (void)co_await settled(sleep_for(1h));
            cleaned_up = true;
        });
        co_await yield();
    });
    CHECK(cleaned_up);
    CHECK(log.joined() == "L");
}

TEST_CASE("what on_cancel's function throws is reported, and the answer is waited for") {
    hook_log log;
    std::optional<resolver<int>> answers;
    run(run_options().on_exception(log.hook()), [&answers]() -> task<> {
        auto waiting = spawn([&answers]() -> task<int> {
            co_return co_await from_callback<int>([&answers](resolver<int> r) {
                r.on_cancel([] { throw std::runtime_error("C"); });
                answers.emplace(std::move(r));
            });
        });
        co_await yield();
        waiting.cancel();
        answers->set_value(7);
        const auto end = co_await settled(std::move(waiting));
        CHECK(end.has_value());
    });
    CHECK(log.joined() == "C");
}

TEST_CASE("what the constructor of an answer throws is the await's error") {
    struct picky {
        explicit picky(int n) {
            if (n < 0)
                throw std::runtime_error("negative");
        }
    };
    run([]() -> task<> {
        const auto end = co_await settled(from_callback<picky>([](resolver<picky> r) { r.set_value(-1); }));
        std::string text;
        try {
            std::rethrow_exception(end.error());
        } catch (const std::runtime_error& e) {
            text = e.what();
        }
        CHECK(text == "negative");
    });
}

TEST_CASE("a group's text has each of its errors, whatever was thrown") {
    std::string text;
    std::string message;
    run([&]() -> task<> {
        try {
            co_await with_task_group([](task_group& g) -> task<> {
                g.spawn([]() -> task<> {
                    (void)co_await settled(sleep_for(1h));
                    throw "a literal";
                });
                g.spawn([]() -> task<> {
                    (void)co_await settled(sleep_for(1h));
                    throw std::string("a string");
                });
                g.spawn([]() -> task<> {
                    co_await yield();
                    throw 7;
                });
                co_return;
            });
        } catch (const exception_group& e) {
            text = e.to_string();
            message = e.message();
        }
    });
    CHECK(message == "unhandled errors in a task group");
    CHECK(text.find("a literal") != std::string::npos);
    CHECK(text.find("a string") != std::string::npos);
    CHECK(text.find("no std::exception") != std::string::npos);
}

TEST_CASE("a dump in JSON names the task that is joined and the requests that have come") {
    std::string json;
    run([&json]() -> task<> {
        auto joined = spawn([]() -> task<> { (void)co_await settled(sleep_for(1h)); });
        auto joining = spawn([&joined]() -> task<> { co_await joined; });
        co_await yield();
        co_await yield();
        joining.cancel();
        json = dump_tasks_json(loop::current());
        (void)co_await settled(std::move(joining));
    });
    CHECK(json.find("\"waits_for_task\":") != std::string::npos);
    CHECK(json.find("\"cancel_requests\":1") != std::string::npos);
}

TEST_CASE("outside a run the clock is the system's steady one") {
    const auto before = std::chrono::steady_clock::now().time_since_epoch();
    CHECK(corun::clock::now().time_since_epoch() >= std::chrono::duration_cast<duration>(before));
}

TEST_CASE("I/O that is begun where no task runs is refused, and a task that waits for readiness is said to do so") {
    run([]() -> task<> {
        auto pair = co_await connected_pair();
        auto found = errc::nested_run;
        loop::current().call_soon([&] {
            std::array<std::byte, 1> byte;
            auto reads = pair.ours.read(byte).operator co_await();
            try {
                (void)reads.await_ready();
            } catch (const usage_error& e) {
                found = e.code();
            }
        });
        auto waiting = spawn([&pair]() -> task<> { co_await pair.ours.readable(); });
        co_await yield();
        CHECK(found == errc::no_running_task);
        CHECK(dump_tasks(loop::current()).find("waits for readable") != std::string::npos);
        waiting.cancel();
        (void)co_await settled(std::move(waiting));
    });
}
