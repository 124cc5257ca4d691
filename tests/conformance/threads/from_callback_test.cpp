// from_callback_test.cpp - awaiting what another thread or another library completes.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/hook_log.hpp>
#include <support/lifetimes.hpp>
#include <support/semaphore.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>
#include <support/usage.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// Keeps a resolver, to be called by the case.
template <class T>
auto keep_in(std::optional<resolver<T>>& kept) {
    return from_callback<T>([&kept](resolver<T> r) { kept.emplace(std::move(r)); });
}

}

TEST_CASE("CBK-01 the value that the resolver is given is the await's, also one that only moves, and none") {
    run([]() -> task<> {
        const int seven = co_await from_callback<int>([](resolver<int> r) { r.set_value(7); });
        CHECK(seven == 7);
        const auto made =
            co_await from_callback<std::unique_ptr<int>>([](resolver<std::unique_ptr<int>> r) { r.set_value(std::make_unique<int>(7)); });
        CHECK(*made == 7);
        co_await from_callback<void>([](resolver<void> r) { r.set_value(); });
    });
}

TEST_CASE(
    "CBK-02 a resolver that is called before init returns, or in a later callback, resumes in a later turn and never inside the call") {
    run([]() -> task<> {
        const auto before = turn_number();
        bool inside = false;
        co_await from_callback<void>([&](resolver<void> r) {
            inside = true;
            r.set_value();
            inside = false;
        });
        CHECK_FALSE(inside);
        CHECK(turn_number() > before);

        std::optional<resolver<int>> kept;
        loop::current().call_after(1ms, [&] {
            inside = true;
            kept->set_value(3);
            inside = false;
        });
        const int three = co_await keep_in(kept);
        CHECK(three == 3);
        CHECK_FALSE(inside);
    });
}

TEST_CASE("CBK-03 errors of each kind leave the await") {
    run([]() -> task<> {
        const auto thrown =
            co_await settled(from_callback<int>([](resolver<int> r) { r.set_error(std::make_exception_ptr(std::runtime_error("E"))); }));
        CHECK(text_of(thrown.error()) == "E");
        const auto code =
            co_await settled(from_callback<int>([](resolver<int> r) { r.set_error(std::make_error_code(std::errc::timed_out)); }));
        CHECK(code.threw<std::system_error>());
        const auto cancel = co_await settled(from_callback<int>([](resolver<int> r) { r.set_cancelled(); }));
        CHECK(cancel.is_cancelled());
        const auto of_init = co_await settled(from_callback<int>([](resolver<int>) { throw std::runtime_error("of init"); }));
        CHECK(text_of(of_init.error()) == "of init");
    });
}

TEST_CASE("CBK-04 a resolver that is destroyed uncalled is a broken_callback, and says what to do") {
    run([]() -> task<> {
        const auto left = co_await settled(from_callback<int>([](resolver<int>) {}));
        CHECK(left.threw<broken_callback>());
        CHECK(text_of(left.error()).find("call it on every way out") != std::string::npos);
    });
}

TEST_CASE("CBK-05 a second call is refused") {
    run([]() -> task<> {
        const int value = co_await from_callback<int>([](resolver<int> r) {
            r.set_value(1);
            CHECK_FALSE(r);
            CHECK(usage_of([&] { r.set_value(2); }) == errc::already_set);
            CHECK(usage_of([&] { r.set_cancelled(); }) == errc::already_set);
            CHECK(usage_of([&] { r.on_cancel([] {}); }) == errc::already_set);
        });
        CHECK(value == 1);
    });
}

TEST_CASE("CBK-05 a call of one that was moved from is refused; the one that it was moved to answers, once, wherever it goes") {
    run([]() -> task<> {
        const int value = co_await from_callback<int>([](resolver<int> r) {
            resolver<int> next(std::move(r));
            CHECK_FALSE(r);
            CHECK(usage_of([&] { r.set_value(2); }) == errc::empty_handle);
            CHECK(usage_of([&] { r.detach_on_cancel(); }) == errc::empty_handle);
            next.set_value(1);
            resolver<int> last(std::move(next));
            CHECK(usage_of([&] { last.set_value(3); }) == errc::already_set);
            CHECK(usage_of([&] { next.set_value(4); }) == errc::empty_handle);
            r = std::move(last);
            CHECK(usage_of([&] { r.set_cancelled(); }) == errc::already_set);
            CHECK(usage_of([&] { last.set_cancelled(); }) == errc::empty_handle);
        });
        CHECK(value == 1);
    });
}

TEST_CASE("CBK-06 a request calls on_cancel's function once and waits for the answer: set_cancelled and operation_canceled are the "
          "cancellation") {
    for (const bool by_code : {false, true}) {
        trace t;
        run([&]() -> task<> {
            std::optional<resolver<int>> kept;
            auto waits = spawn([&]() -> task<> {
                const auto left = co_await settled(from_callback<int>([&](resolver<int> r) {
                    r.on_cancel([&t] { t.note("asked"); });
                    kept.emplace(std::move(r));
                }));
                t.note(left.is_cancelled() ? "cancelled" : "?");
            });
            co_await yield();
            waits.cancel();
            waits.cancel();
            co_await yield();
            co_await yield();
            CHECK_FALSE(waits.is_done());
            if (by_code)
                kept->set_error(std::make_error_code(std::errc::operation_canceled));
            else
                kept->set_cancelled();
            co_await waits;
        });
        CHECK(t.joined() == "asked cancelled");
    }
}

TEST_CASE("CBK-07 a value that comes after a request is given, and the request waits for the next await") {
    run([]() -> task<> {
        std::optional<resolver<int>> kept;
        int got = 0;
        auto waits = spawn([&]() -> task<> {
            got = co_await keep_in(kept);
            co_await sleep_for(1h);
        });
        co_await yield();
        waits.cancel();
        kept->set_value(7);
        (void)co_await settled(waits);
        CHECK(got == 7);
        CHECK(waits.is_cancelled());
    });
}

TEST_CASE("CBK-08 with detach_on_cancel a request ends the await at once, and what is answered later is dropped") {
    lifetimes l;
    run([&]() -> task<> {
        std::optional<resolver<counted>> kept;
        auto waits = spawn([&]() -> task<> {
            (void)co_await from_callback<counted>([&](resolver<counted> r) {
                r.detach_on_cancel();
                kept.emplace(std::move(r));
            });
        });
        co_await yield();
        waits.cancel();
        (void)co_await settled(waits);
        CHECK(waits.is_cancelled());
        kept->set_value(l);
        co_await yield();
    });
    CHECK(l.made == 1);
    CHECK(l.alive() == 0);
}

TEST_CASE("CBK-09 a request that came before the await keeps the operation from beginning") {
    run([]() -> task<> {
        bool began = false;
        auto waits = spawn([&]() -> task<> {
            this_task::handle().cancel();
            co_await from_callback<void>([&](resolver<void> r) {
                began = true;
                r.set_value();
            });
        });
        (void)co_await settled(waits);
        CHECK(waits.is_cancelled());
        CHECK_FALSE(began);
    });
}

TEST_CASE("CBK-10 a resolver that outlives its await and its loop may be called, and leaks nothing") {
    lifetimes l;
    hook_log log;
    std::optional<resolver<counted>> kept;
    run(run_options().shutdown_grace(1ms).on_exception(log.hook()), [&]() -> task<> {
        spawn([&]() -> task<> { (void)co_await keep_in(kept); });
        co_await yield();
    });
    CHECK(log.size() == 1);   // the report that it did not stop
    kept->set_value(l);
    CHECK(l.made == 1);
    CHECK(l.alive() == 0);
}

TEST_CASE("CBK-11 another thread may answer, at any time [rt]") {
    run(run_options().real_threads(true), []() -> task<> {
        for (int i = 0; i < 100; ++i) {
            std::optional<std::thread> other;
            const int got = co_await from_callback<int>([&](resolver<int> r) {
                other.emplace([r = std::move(r), i]() mutable {
                    if (i % 2)
                        std::this_thread::yield();
                    r.set_value(i);
                });
            });
            other->join();
            CHECK(got == i);
        }
    });
}

TEST_CASE("CBK-12 a request and another thread's answer race: the await ends once, with one of the two [rt]") {
    run(run_options().real_threads(true), []() -> task<> {
        for (int i = 0; i < 100; ++i) {
            std::optional<std::thread> other;
            auto waits = spawn([&]() -> task<int> {
                const int got = co_await from_callback<int>([&](resolver<int> r) {
                    r.detach_on_cancel();
                    other.emplace([r = std::move(r)]() mutable { r.set_value(7); });
                });
                co_return got;
            });
            co_await yield();
            waits.cancel();
            const auto left = co_await settled(waits);
            CHECK((left.has_value() || waits.is_cancelled()));
            other->join();
        }
    });
}

TEST_CASE("CBK-13 a value that came before the request is given, is not asked for any more, and is not dropped by detach_on_cancel") {
    for (const bool detaches : {false, true}) {
        run([detaches]() -> task<> {
            std::optional<resolver<int>> kept;
            bool asked = false;
            int got = 0;
            auto waits = spawn([&]() -> task<> {
                got = co_await from_callback<int>([&](resolver<int> r) {
                    r.on_cancel([&asked] { asked = true; });
                    if (detaches)
                        r.detach_on_cancel();
                    kept.emplace(std::move(r));
                });
                co_await sleep_for(1h);
            });
            co_await yield();
            kept->set_value(7);
            waits.cancel();
            (void)co_await settled(waits);
            CHECK(got == 7);
            CHECK_FALSE(asked);
            CHECK(waits.is_cancelled());
        });
    }
}

TEST_CASE("CBK-14 a request that is made while the operation is begun is this await's") {
    for (const bool detaches : {false, true}) {
        run([detaches]() -> task<> {
            std::optional<resolver<int>> kept;
            bool asked = false;
            auto waits = spawn([&]() -> task<> {
                (void)co_await from_callback<int>([&](resolver<int> r) {
                    r.on_cancel([&] {
                        asked = true;
                        if (!detaches)
                            kept->set_cancelled();
                    });
                    if (detaches)
                        r.detach_on_cancel();
                    kept.emplace(std::move(r));
                    this_task::handle().cancel();
                    CHECK_FALSE(asked);   // not within
                });
            });
            (void)co_await settled(waits);
            CHECK(asked);
            CHECK(waits.is_cancelled());
        });
    }
}

TEST_CASE("CBK-15 a resolver that another one is assigned to was destroyed uncalled; what it is assigned from is empty") {
    run([]() -> task<> {
        std::optional<resolver<int>> kept;
        auto first = spawn(keep_in(kept));
        co_await yield();
        auto second = spawn([&kept]() -> task<int> {
            const int got = co_await from_callback<int>([&kept](resolver<int> r) {
                *kept = std::move(r);
                CHECK_FALSE(r);
            });
            co_return got;
        });
        const auto left = co_await settled(first);
        CHECK(left.threw<broken_callback>());
        CHECK_FALSE(second.is_done());
        auto& same = *kept;
        same = std::move(*kept);
        CHECK(same);
        kept->set_value(2);
        const int two = co_await second;
        CHECK(two == 2);
    });
}

TEST_CASE("CBK-16 set_aborted's code or exception is the cancellation after a request, and thrown without one") {
    const auto abort = [](resolver<int>& r, bool by_code) {
        if (by_code)
            r.set_aborted(std::make_error_code(std::errc::interrupted));
        else
            r.set_aborted(std::make_exception_ptr(std::runtime_error("aborted")));
    };
    run([&abort]() -> task<> {
        for (const bool by_code : {false, true}) {
            const auto unasked = co_await settled(from_callback<int>([&](resolver<int> r) { abort(r, by_code); }));
            CHECK(unasked.threw<std::runtime_error>());   // std::system_error is one too
            std::optional<resolver<int>> kept;
            auto waits = spawn([&kept]() -> task<> { (void)co_await keep_in(kept); });
            co_await yield();
            waits.cancel();
            abort(*kept, by_code);
            (void)co_await settled(waits);
            CHECK(waits.is_cancelled());
        }
    });
}
