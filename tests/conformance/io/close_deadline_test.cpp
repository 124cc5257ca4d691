// close_deadline_test.cpp - close(deadline) waits for the descriptor's end, and no longer than it was told.
#include <corun/corun.hpp>
#include <support/allocations.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/end_of.hpp>
#include <support/wrapped_backend.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// Closes with an answer of the test's, or not until it is asked to give the wait up. For objects that nothing waits for.
class slow_to_close final : public wrapped_backend {
public:
    struct plan {
        bool waits = true;
        std::int32_t error = 0;
        int closed = 0;
        int given_up = 0;
        bool ends_at_next_wait = false;
        bool refuses_memory = false;   ///< of what comes after a close has begun, until the next wait
        bool was_refused = false;
    };
    explicit slow_to_close(plan& p) noexcept : plan_(p) {}

    submitted submit(operation& o) noexcept override {
        if (o.kind != operation_kind::close)
            return real().submit(o);
        ++plan_.closed;
        const submitted answered = real().submit(o);
        if (plan_.refuses_memory)
            refused_.emplace(1);
        if (plan_.waits) {
            o.state = operation_state::pending;
            closing_ = &o;
            return submitted::pending;
        }
        o.finish(plan_.error);
        return answered;
    }
    bool cancel(operation& o) noexcept override {
        if (o.kind != operation_kind::close)
            return real().cancel(o);
        ++plan_.given_up;
        o.finish(static_cast<std::int32_t>(detail::native_code(std::errc::operation_canceled)));
        given_up_.push_back(o);
        return true;
    }
    waited wait(time_point deadline, operation_list& finished) noexcept override {
        plan_.was_refused = plan_.was_refused || (refused_ && refused_->has_failed());
        refused_.reset();
        if (plan_.ends_at_next_wait && closing_) {
            closing_->finish(plan_.error);
            given_up_.push_back(*std::exchange(closing_, nullptr));
        }
        const bool any = !given_up_.empty();
        finished.splice_back(given_up_);
        const waited answered = real().wait(any ? time_point::min() : deadline, finished);
        return any ? waited::news : answered;
    }

private:
    plan& plan_;
    operation* closing_ = nullptr;
    operation_list given_up_;   // or ended, for the next wait
    std::optional<failing_allocation> refused_;
};

}

TEST_CASE("TCP-48 close(deadline) gives the wait up at its deadline with timed_out; the object is closed since the call") {
    slow_to_close::plan plan;
    run(run_options().with(std::make_unique<slow_to_close>(plan)), [&]() -> task<> {
        auto pair = co_await connected_pair();
        const time_point deadline = loop::current().time() + 5ms;
        auto closing = pair.ours.close(deadline);
        CHECK_FALSE(pair.ours.is_open());
        const auto left = co_await as_result(std::move(closing));
        CHECK(left.error() == std::errc::timed_out);
        CHECK(loop::current().time() >= deadline);
        CHECK(plan.closed == 1);
        CHECK(loop::current().counters().pending_operations == 0);
        CHECK(loop::current().counters().armed_timers == 0);
        // One that has passed is no wait without an end, either.
        const auto late = co_await as_result(pair.theirs.close(loop::current().time() - 1s));
        CHECK(late.error() == std::errc::timed_out);
    });
}

TEST_CASE("TCP-48 a close that ends in the turn of its deadline has ended, and one that a request gives up then is given up once") {
    slow_to_close::plan plan;
    run(run_options().with(std::make_unique<slow_to_close>(plan)), [&]() -> task<> {
        auto pair = co_await connected_pair();
        const time_point past = loop::current().time() - 1s;
        plan.ends_at_next_wait = true;
        const auto ended = co_await as_result(pair.ours.close(past));
        CHECK(ended.has_value());
        CHECK(plan.given_up == 0);

        plan.ends_at_next_wait = false;
        const auto closes = [&]() -> task<> { co_await pair.theirs.close(past); };
        auto closing = spawn(closes);
        co_await yield();   // it has begun
        co_await yield();   // its deadline's turn, which runs this first
        closing.cancel();
        (void)co_await settled(closing);
        CHECK(end_of(closing) == "cancelled");
        CHECK(plan.given_up == 1);
        CHECK(loop::current().counters().armed_timers == 0);
    });
}

TEST_CASE("TCP-48 without memory for its deadline close(deadline) gives the wait up at once: it is never one without a bound") {
    if (!allocations_are_counted) {
        WARN("no allocation can be made to fail in this build");
        return;
    }
    slow_to_close::plan plan;
    plan.refuses_memory = true;
    run(run_options().with(std::make_unique<slow_to_close>(plan)), [&]() -> task<> {
        // However many timers the queue has room for, one more needs memory.
        std::vector<callback_handle> timers;
        for (int i = 0; i < 70 && !plan.was_refused; ++i) {
            auto pair = co_await connected_pair();
            const time_point deadline = loop::current().time() + 1h;
            const auto closes = [&]() -> task<> { co_await pair.ours.close(deadline); };
            auto closing = spawn(closes);
            co_await sleep_for(1ms);   // the loop waits
            if (!plan.was_refused)
                closing.cancel();
            const auto left = co_await settled(closing);
            CHECK(left.threw<std::system_error>() == plan.was_refused);
            CHECK(loop::current().time() < deadline);
            timers.push_back(loop::current().call_after(2h, [] {}));
        }
        CHECK(plan.was_refused);
        CHECK(loop::current().counters().pending_operations == 0);
        for (callback_handle& h : timers)
            h.cancel();
    });
}

TEST_CASE("TCP-48 a request ends the wait of close(deadline), not the close") {
    slow_to_close::plan plan;
    run(run_options().with(std::make_unique<slow_to_close>(plan)), [&]() -> task<> {
        auto pair = co_await connected_pair();
        const auto closes = [&]() -> task<> { co_await pair.ours.close(no_deadline); };
        auto closing = spawn(closes);
        co_await yield();
        CHECK(plan.closed == 1);
        CHECK(closing.cancel());
        (void)co_await settled(closing);
        CHECK(end_of(closing) == "cancelled");
        CHECK(loop::current().counters().open_handles == 1);
    });
}

TEST_CASE("TCP-48 close(deadline) throws close's error, as_result gives it, and the second close of an object is none") {
    slow_to_close::plan plan;
    plan.waits = false;
    plan.error = detail::native_code(std::errc::io_error);
    run(run_options().with(std::make_unique<slow_to_close>(plan)), [&]() -> task<> {
        auto pair = co_await connected_pair();
        const auto left = co_await as_result(pair.ours.close(no_deadline));
        CHECK(left.error() == std::errc::io_error);
        const auto again = co_await as_result(pair.ours.close(no_deadline));
        CHECK(again.has_value());
        const auto thrown = co_await settled(pair.theirs.close(no_deadline));
        CHECK(thrown.threw<std::system_error>());
        CHECK(plan.closed == 2);
        auto listener = tcp_listener::bind(loopback());
        const auto listening = co_await as_result(listener.close(no_deadline));
        CHECK(listening.error() == std::errc::io_error);
        CHECK_FALSE(listener.is_open());
    });
}

TEST_CASE("TCP-49 a close(deadline) that nobody awaits, or that a request comes before, closes the descriptor all the same") {
    run([]() -> task<> {
        auto pair = co_await connected_pair();
        (void)pair.ours.close(no_deadline);
        CHECK(loop::current().counters().open_handles == 1);
        const auto text = co_await read_some(pair.theirs);
        CHECK(text.empty());
        const auto closes = [&]() -> task<> { co_await pair.theirs.close(no_deadline); };
        auto closing = spawn(closes);
        closing.cancel();
        (void)co_await settled(closing);
        pair.theirs.close();
        CHECK(loop::current().counters().open_handles == 0);
    });
}

TEST_CASE("TCP-49 close(deadline) ends what waits for the object: a read, and every accept of a listener") {
    run([]() -> task<> {
        auto pair = co_await connected_pair();
        std::error_code end;
        const auto reads = [&]() -> task<> {
            std::array<std::byte, 8> buffer;
            const auto got = co_await as_result(pair.ours.read(buffer));
            end = got.error();
        };
        auto reading = spawn(reads);
        co_await yield();
        co_await pair.ours.close(loop::current().time() + 10s);
        co_await reading;
        CHECK(end == std::errc::operation_canceled);

        auto listener = tcp_listener::bind(loopback());
        int ended = 0;
        const auto accepts = [&]() -> task<> {
            const auto got = co_await as_result(listener.accept());
            ended += got.error() == std::errc::operation_canceled;
        };
        auto first = spawn(accepts);
        auto second = spawn(accepts);
        co_await yield();
        co_await listener.close(loop::current().time() + 10s);
        co_await first;
        co_await second;
        CHECK(ended == 2);
        CHECK(loop::current().counters().open_handles == 1);
    });
}
