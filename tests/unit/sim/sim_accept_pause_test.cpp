// sim_accept_pause_test.cpp - the pause of accepts when the descriptors have run out (8.6), with a simulation's: in its time, and where no
// descriptor of the process may be missing.
#include <unit/accepting_server.hpp>
#include <unit/broken_off.hpp>

#include <corun/corun.hpp>
#include <corun/sim.hpp>
#include <support/allocations.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/end_of.hpp>
#include <support/wrapped_backend.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

std::size_t armed_timers() { return loop::current().counters().armed_timers; }

struct server : accepting_server {
    /// An accept that has come as far as it can.
    task<task_handle<std::error_code>> begin_accept() {
        auto begun = spawn([this]() -> task<std::error_code> { return accept_one(); });
        co_await yield();
        co_return begun;
    }
    /// The clients are here, and an accept has been told that there is no descriptor left: the pause has begun.
    task<> run_out(int count) {
        co_await connect_clients(count);
        const auto told = co_await accept_one();
        CHECK(told == std::errc::too_many_files_open);
    }
};

run_options with_descriptors(std::size_t count) { return run_options().with(make_sim(sim_options(7).descriptors(count))); }

/// A simulation in which a close takes a wait.
class closes_later final : public wrapped_backend {
public:
    explicit closes_later(const sim_options& options) : wrapped_backend(make_sim(options)) {}

    submitted submit(operation& o) noexcept override {
        if (o.kind != operation_kind::close)
            return real().submit(o);
        closing_ = &o;
        o.state = operation_state::pending;
        return submitted::pending;
    }
    waited wait(time_point deadline, operation_list& finished) noexcept override {
        if (operation* const o = std::exchange(closing_, nullptr)) {
            o->finish(real().close(o->target).value());
            finished.push_back(*o);
            return waited::news;
        }
        return real().wait(deadline, finished);
    }

private:
    operation* closing_ = nullptr;
};

}

TEST_CASE("an accept that waits is told that there are no descriptors, and the one behind it waits out the pause before it is told, too") {
    run(with_descriptors(2), []() -> task<> {
        server s;
        auto first = co_await s.begin_accept();
        auto second = co_await s.begin_accept();
        const time_point begun = loop::current().time();
        co_await s.connect_clients(1);
        const auto told = co_await first;
        CHECK(told == std::errc::too_many_files_open);
        CHECK_FALSE(second.is_done());
        CHECK(armed_timers() == 1);
        const auto told_too = co_await second;
        CHECK(told_too == std::errc::too_many_files_open);
        CHECK(loop::current().time() - begun == 100ms);
    });
}

TEST_CASE("accepts that join the line of a pause wait for one timer, and are answered in order once a descriptor has been closed") {
    run(with_descriptors(4), []() -> task<> {
        server s;
        co_await s.connect_clients(2);
        const auto none_missing = co_await s.accept_one();
        CHECK_FALSE(none_missing);
        const auto told = co_await s.accept_one();
        CHECK(told == std::errc::too_many_files_open);
        const time_point begun = loop::current().time();
        auto first = co_await s.begin_accept();
        auto second = co_await s.begin_accept();
        CHECK(armed_timers() == 1);
        CHECK_FALSE(first.is_done());
        s.clients.pop_back();
        const auto served = co_await first;
        CHECK_FALSE(served);
        const auto left = co_await second;   // the first one has the descriptor
        CHECK(left == std::errc::too_many_files_open);
        CHECK(armed_timers() == 0);
        CHECK(loop::current().time() == begun);
    });
}

TEST_CASE("without memory for the timer of a simulated pause the accept is made at once, and is told what is missing") {
    if (!allocations_are_counted)
        return;
    run(with_descriptors(2), []() -> task<> {
        server s;
        co_await s.run_out(1);
        bool met = false;
        std::vector<callback_handle> timers;   // however many the loop has room for, one more needs memory
        for (int i = 0; i < 70 && !met; ++i) {
            const std::size_t armed = armed_timers();
            const time_point begun = loop::current().time();
            auto next = spawn([&s]() -> task<std::error_code> { return s.accept_one(); });
            {
                const failing_allocation failing(1);
                co_await yield();
                met = failing.has_failed();
            }
            co_await yield();
            co_await yield();
            CHECK(next.is_done() == met);
            CHECK(armed_timers() == armed + (met ? 0 : 1));
            const auto end = co_await next;
            CHECK(end == std::errc::too_many_files_open);
            CHECK(loop::current().time() - begun == (met ? 0ms : 100ms));
            timers.push_back(loop::current().call_after(1h, [] {}));
        }
        CHECK(met);
        for (callback_handle& h : timers)
            h.cancel();
    });
}

TEST_CASE("an accept whose await is broken off in a pause leaves the line, and the last one the pause") {
    run(with_descriptors(2), []() -> task<> {
        server s;
        co_await s.run_out(1);
        const auto accepts = [&s]() -> task<> { co_await broken_off(s.listener.accept()); };
        auto stays = co_await s.begin_accept();
        CHECK(armed_timers() == 1);
        const auto one = co_await settled(accepts());
        CHECK(end_of(one) == "broken off");
        CHECK(armed_timers() == 1);   // another one is in the line
        stays.cancel();
        (void)co_await settled(stays);
        CHECK(armed_timers() == 0);
        const auto last = co_await settled(accepts());
        CHECK(end_of(last) == "broken off");
        CHECK(armed_timers() == 0);
        s.clients.clear();
        const auto served = co_await s.accept_one();
        CHECK_FALSE(served);
    });
}

TEST_CASE("a run that is given up in a pause leaves nothing of it behind, also when a descriptor is closed just then") {
    for (const bool closes : {false, true}) {
        std::optional<server> s;
        int reports = 0;
        const auto hook = [&](const exception_report&) {
            ++reports;
            if (closes)
                s->clients.clear();
        };
        run(with_descriptors(2).shutdown_grace(10ms).on_exception(hook), [&]() -> task<> {
            s.emplace();
            co_await s->run_out(1);
            const auto deaf = [&s]() -> task<> {
                (void)co_await settled(s->accept_one());
                (void)co_await settled(s->accept_one());
            };
            spawn(deaf);
            spawn(deaf);
            co_await yield();
            CHECK(armed_timers() == 1);
        });
        CHECK(reports == 2);
        CHECK(s->served.empty());
        CHECK(s->clients.empty() == closes);
    }
}

TEST_CASE("a close that took its time ends the pause of accepts, as one that was done at once") {
    run(run_options().with(std::make_unique<closes_later>(sim_options(7).descriptors(4))), []() -> task<> {
        auto spare = co_await connected_pair();
        server s;
        co_await s.run_out(1);
        auto next = co_await s.begin_accept();
        CHECK(armed_timers() == 1);
        const time_point begun = loop::current().time();
        co_await spare.ours.close(no_deadline);
        const auto served = co_await next;
        CHECK_FALSE(served);
        CHECK(loop::current().time() == begun);
        CHECK(armed_timers() == 0);
    });
}
