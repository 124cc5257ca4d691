// facility_test.cpp - a facility beside the simulated network: it shares the handles, the clock and the cards, and touches nothing of it.
#include <corun/sim.hpp>
#include <sim/engine/world.hpp>
#include <support/catch.hpp>
#include <unit/seam.hpp>

#include <array>
#include <chrono>
#include <memory>
#include <vector>

using namespace corun;
using namespace seam;
using namespace std::chrono_literals;

namespace {

class bell final : public sim::object {
public:
    bool read(operation& o) override {
        if (has_rung)
            o.finish(0, 1);
        return has_rung;
    }

    bool has_rung = false;
};

/// Bells, each of which rings once.
class belfry final : public sim::facility {
public:
    explicit belfry(sim::engine& e) : facility(e.facilities), engine_(e) {}

    void begin() override { rings_.clear(); }
    time_point next_event() const noexcept override { return rings_.empty() ? no_deadline : rings_.front().when; }
    void deliver_next() override {
        const ring first = rings_.front();
        rings_.erase(rings_.begin());
        if (auto* const rung = static_cast<bell*>(engine_.names.find(first.of)))
            rung->has_rung = true;
        engine_.names.retry(first.of);
    }

    handle open(duration after) {
        const handle h = engine_.names.add(std::make_unique<bell>());
        rings_.push_back({engine_.now + after, h});
        return h;
    }

private:
    struct ring {
        time_point when;
        handle of;
    };

    sim::engine& engine_;
    std::vector<ring> rings_;
};

/// A simulation with bells.
struct with_bells {
    explicit with_bells(const sim_options& options = sim_options(7)) : b(make_sim(options, control)) {}

    sim_control control;
    belfry bells{control.state()};
    std::unique_ptr<backend> b;
};

std::error_code listen_at(backend& b, handle h, address& where) {
    control_request binds(control_kind::bind);
    binds.where = &where;
    if (const auto error = b.control(h, binds))
        return error;
    control_request listens(control_kind::listen);
    return b.control(h, listens);
}

}

TEST_CASE("events of two facilities of a simulation come in the order of their times") {
    with_bells s(sim_options(7).link(sim_link().delay(2s)));
    const auto listener = s.b->open(socket_type::tcp_v4);
    const auto client = s.b->open(socket_type::tcp_v4);
    REQUIRE(listener);
    REQUIRE(client);
    address where = address::loopback(40001);
    REQUIRE_FALSE(listen_at(*s.b, *listener, where));

    read_card early(s.bells.open(1s));
    read_card late(s.bells.open(3s));
    card connects(operation_kind::connect, *client);
    connects.to = &where;
    const time_point begun = s.b->now();
    for (card* const one : {&early.o, &connects, &late.o})
        REQUIRE(s.b->submit(*one) == submitted::pending);
    CHECK(collect(*s.b, time_point::max()) == std::vector<operation*>{&early.o});
    CHECK(s.b->now() - begun == 1s);
    CHECK(collect(*s.b, time_point::max()) == std::vector<operation*>{&connects});
    CHECK(s.b->now() - begun == 2s);
    CHECK(collect(*s.b, time_point::max()) == std::vector<operation*>{&late.o});
    CHECK(s.b->now() - begun == 3s);
    CHECK(late.o.count == 1);
}

TEST_CASE("an object of a simulation refuses what its facility does not say, is cancelled and closed as others are") {
    with_bells s;
    const handle plain = s.control.state().names.add(std::make_unique<sim::object>());
    for (const operation_kind kind : {operation_kind::read, operation_kind::write, operation_kind::accept, operation_kind::connect,
                                      operation_kind::poll, operation_kind::shutdown}) {
        card o(kind, plain);
        if (kind == operation_kind::poll)
            o.wanted = ready::readable;
        CHECK(s.b->submit(o) == submitted::finished);
        CHECK(o.error_code() == std::errc::operation_not_supported);
    }
    control_request r(control_kind::listen);
    CHECK(s.b->control(plain, r) == std::errc::operation_not_supported);

    const handle h = s.bells.open(1s);
    read_card first(h);
    REQUIRE(s.b->submit(first.o) == submitted::pending);
    read_card second(h);
    CHECK(s.b->submit(second.o) == submitted::finished);
    CHECK(second.o.error == operation::busy);
    CHECK(s.b->cancel(first.o));
    CHECK(collect(*s.b) == std::vector<operation*>{&first.o});
    CHECK(first.o.error_code() == std::errc::operation_canceled);

    read_card closed(h);
    REQUIRE(s.b->submit(closed.o) == submitted::pending);
    CHECK_FALSE(s.b->close(h));
    CHECK(collect(*s.b) == std::vector<operation*>{&closed.o});
    CHECK(closed.o.error_code() == std::errc::operation_canceled);
    CHECK(s.b->close(h) == std::errc::bad_file_descriptor);
    CHECK(collect(*s.b, time_point::max()).empty());   // it rings for nobody
}

TEST_CASE("the budget of descriptors of a simulation is that of all facilities, and another run begins without their objects") {
    with_bells s(sim_options(7).descriptors(1));
    const handle h = s.bells.open(1s);
    CHECK(s.b->open(socket_type::tcp_v4).error() == std::errc::too_many_files_open);
    s.b = make_sim(sim_options(7).descriptors(1), s.control);
    CHECK(s.b->close(h) == std::errc::bad_file_descriptor);
    CHECK(s.b->open(socket_type::tcp_v4));
    CHECK(s.bells.next_event() == no_deadline);
}
