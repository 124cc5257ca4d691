// reactor_poller_test.cpp - the reactor over a poller by hand: spurious reports, refused descriptors, what is asked of it.
#include <unit/seam.hpp>

#include <reactor/reactor.hpp>

using namespace seam;

namespace {

/// Reports what the test says, and notes what it is asked.
struct hand_poller final : poller {
    struct state {
        std::vector<std::pair<registration*, std::uint8_t>> news;
        std::vector<std::string> calls;
        int refuse = 0;
        registration* seen = nullptr;
    };
    explicit hand_poller(state& s) : told(s) {}

    std::error_code attach(registration& r) noexcept override {
        told.calls.push_back("attach");
        told.seen = &r;
        return {told.refuse, std::system_category()};
    }
    void arm(registration& r) noexcept override { told.calls.push_back("arm " + std::to_string(r.wanted())); }
    void detach(registration&) noexcept override { told.calls.push_back("detach"); }
    bool wait(time_point, ready_list& ready) noexcept override {
        for (const auto& [r, what] : told.news)
            ready.add(*r, what);
        told.news.clear();
        return false;
    }
    void wake() noexcept override {}
    native_handle wait_handle() const noexcept override { return no_native_handle; }

    state& told;
};

struct by_hand {
    hand_poller::state told;
    reactor tested{std::make_unique<hand_poller>(told), "by hand"};

    std::vector<operation*> report(std::uint8_t what) {
        told.news.emplace_back(told.seen, what);
        return collect(tested);
    }
};

using strings = std::vector<std::string>;

}

TEST_CASE("a descriptor is attached when an operation first has to wait, once, and detached before it is closed") {
    by_hand t;
    {
        connection c(t.tested);
        send_all(c.peer, "x");
        wait_readable(c.native);
        read_card now(c.ours, 1);
        REQUIRE(t.tested.submit(now.o) == submitted::finished);
        CHECK(t.told.calls.empty());
        for (int i = 0; i < 2; ++i) {
            read_card r(c.ours);
            REQUIRE(t.tested.submit(r.o) == submitted::pending);
            REQUIRE(t.tested.cancel(r.o));
            collect(t.tested);
        }
        CHECK(t.told.calls == strings{"attach", "arm 1", "arm 1"});
    }
    CHECK(t.told.calls.back() == "detach");
}

TEST_CASE("a spurious report finishes nothing and arms again") {
    by_hand t;
    connection c(t.tested);
    read_card r(c.ours);
    REQUIRE(t.tested.submit(r.o) == submitted::pending);
    t.told.calls.clear();
    CHECK(t.report(registration::readable).empty());
    CHECK(r.o.is_pending());
    CHECK(t.told.calls == strings{"arm 1"});
    CHECK(collect(t.tested).empty());   // no report at all
    send_all(c.peer, "x");
    wait_readable(c.native);
    CHECK(t.report(registration::readable) == std::vector<operation*>{&r.o});
    CHECK(r.text() == "x");
}

TEST_CASE("a direction that would have had to wait is not tried again before the poller tells of it") {
    by_hand t;
    connection c(t.tested);
    read_card first(c.ours), second(c.ours);
    REQUIRE(t.tested.submit(first.o) == submitted::pending);
    REQUIRE(t.tested.cancel(first.o));
    collect(t.tested);
    send_all(c.peer, "x");
    wait_readable(c.native);
    CHECK(t.tested.submit(second.o) == submitted::pending);
    CHECK(t.report(registration::readable) == std::vector<operation*>{&second.o});
    CHECK(second.text() == "x");
}

TEST_CASE("a spurious report does not end a connect or a poll") {
    by_hand t;
    connection c(t.tested);
    card readable(operation_kind::poll, c.ours);
    readable.wanted = ready::readable;
    REQUIRE(t.tested.submit(readable) == submitted::pending);
    CHECK(t.report(registration::readable).empty());
    REQUIRE(t.tested.cancel(readable));
    collect(t.tested);

    // A backlog that is full leaves a connect in the air.
    const fd listener = plain_socket();
    const common::native_address any(address::loopback());
    REQUIRE(::bind(listener.get(), any.data(), any.size) == 0);
    REQUIRE(::listen(listener.get(), 0) == 0);
    address where = name_of(listener.get());
    std::vector<handle> open;
    std::vector<std::unique_ptr<card>> cards;
    for (int i = 0; i < 8 && (cards.empty() || cards.back()->is_finished()); ++i) {
        open.push_back(*t.tested.open(socket_type::tcp_v4));
        cards.push_back(std::make_unique<card>(operation_kind::connect, open.back()));
        cards.back()->to = &where;
        // Over loopback a connect that can succeed has done so by now.
        if (t.tested.submit(*cards.back()) == submitted::pending)
            t.report(registration::writable);
    }
    REQUIRE(cards.back()->is_pending());
    CHECK(t.report(registration::writable).empty());
    for (const handle h : open)
        CHECK_FALSE(t.tested.close(h));
    CHECK(collect(t.tested) == std::vector<operation*>{cards.back().get()});
}

TEST_CASE("a descriptor that the poller refuses is that operation's error, and a later one tries again") {
    by_hand t;
    connection c(t.tested);
    t.told.refuse = ENOSPC;
    read_card r(c.ours);
    CHECK(t.tested.submit(r.o) == submitted::finished);
    CHECK(r.o.error == ENOSPC);
    CHECK(collect(t.tested).empty());
    t.told.refuse = 0;
    read_card again(c.ours);
    CHECK(t.tested.submit(again.o) == submitted::pending);
    REQUIRE(t.tested.cancel(again.o));
    collect(t.tested);
}

TEST_CASE("one report makes reader and writer go on, the reader first") {
    by_hand t;
    connection c(t.tested);
    read_card r(c.ours);
    REQUIRE(t.tested.submit(r.o) == submitted::pending);
    parked_write w(t.tested, c.ours);
    send_all(c.peer, "x");
    wait_readable(c.native);
    // The peer makes room: what was sent goes away with its receive queue.
    std::string sink(1 << 20, '\0');
    pollfd p{c.native, POLLOUT, 0};
    while (::poll(&p, 1, 0) == 0)
        REQUIRE(::recv(c.peer.get(), sink.data(), sink.size(), 0) > 0);
    CHECK(t.report(registration::readable | registration::writable) == std::vector<operation*>{&r.o, w.o.get()});
}

TEST_CASE("reports for one descriptor in a batch are one") {
    by_hand t;
    connection c(t.tested);
    read_card r(c.ours);
    REQUIRE(t.tested.submit(r.o) == submitted::pending);
    send_all(c.peer, "x");
    wait_readable(c.native);
    t.told.news.emplace_back(t.told.seen, registration::readable);
    CHECK(t.report(registration::writable) == std::vector<operation*>{&r.o});
}

TEST_CASE("a late report for a record without a descriptor, or with a new one, does no harm") {
    by_hand t;
    registration* record = nullptr;
    {
        connection c(t.tested);
        read_card r(c.ours);
        REQUIRE(t.tested.submit(r.o) == submitted::pending);
        record = t.told.seen;
        REQUIRE_FALSE(c.close());
        collect(t.tested);
    }
    t.told.news.emplace_back(record, registration::readable | registration::unusual);
    CHECK(collect(t.tested).empty());
    connection c(t.tested);
    read_card r(c.ours);
    REQUIRE(t.tested.submit(r.o) == submitted::pending);
    CHECK(t.told.seen == record);
    CHECK(t.report(registration::readable | registration::unusual).empty());
    CHECK(r.o.is_pending());
    REQUIRE(t.tested.cancel(r.o));
    collect(t.tested);
}
