// poll_test.cpp - the poller of docs/writing-a-backend.md: what the suite can't see of it.
#include <unit/seam.hpp>

#include <corun/poll.hpp>

#include <deque>

using namespace seam;
using namespace std::chrono_literals;

TEST_CASE("poll: block() on another thread returns with the news and takes none of it") { check_block_without_handle(*make_poll()); }

TEST_CASE("poll: who leaves gives his place to the last one, and each is told of his own bytes") {
    const auto b = make_poll();
    std::deque<connection> all;
    std::deque<read_card> cards;
    for (int i = 0; i < 20; ++i) {
        all.emplace_back(*b);
        cards.emplace_back(all.back().ours);
        REQUIRE(b->submit(cards.back().o) == submitted::pending);
    }
    for (const std::size_t closed : {0U, 7U, 19U, 18U})
        REQUIRE_FALSE(all[closed].close());
    CHECK(collect(*b).size() == 4);
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (cards[i].o.is_finished())
            continue;
        send_all(all[i].peer, std::to_string(i));
        CHECK(collect(*b, time_point::max()) == std::vector<operation*>{&cards[i].o});
        CHECK(cards[i].text() == std::to_string(i));
    }
    CHECK(collect(*b).empty());
}

TEST_CASE("poll: what nobody waits for is not reported again and again") {
    const auto b = make_poll();
    connection c(*b);
    read_card r(c.ours, 1);
    REQUIRE(b->submit(r.o) == submitted::pending);
    send_all(c.peer, "more than one");
    wait_for(*b, r.o);
    operation_list finished;
    const time_point deadline = b->now() + 2ms;
    int waits = 0;
    for (; b->now() < deadline; ++waits)
        CHECK(b->wait(deadline, finished) == waited::nothing);
    CHECK(waits <= 2);
}

TEST_CASE("poll: a descriptor that was closed behind the backend's back ends the wait for it with an error") {
    const auto b = make_poll();
    connection c(*b);
    read_card r(c.ours);
    REQUIRE(b->submit(r.o) == submitted::pending);
    ::close(c.native);
    wait_for(*b, r.o);
    CHECK(r.o.error == EBADF);
}

TEST_CASE("poll: whoever gets the record of a closed connection is told of his own descriptor") {
    const auto b = make_poll();
    connection closed(*b);
    read_card first(closed.ours);
    REQUIRE(b->submit(first.o) == submitted::pending);
    const handle before = closed.ours;
    const auto quiet = plain_pair();
    REQUIRE_FALSE(closed.close());
    const fd same_number(::dup(quiet.first.get()));
    REQUIRE(same_number.get() == closed.native);
    connection next(*b, plain_pair(), 200);
    REQUIRE(next.ours.index == before.index);
    read_card r(next.ours);
    REQUIRE(b->submit(r.o) == submitted::pending);
    send_all(next.peer, "x");
    wait_for(*b, r.o);
    CHECK(r.text() == "x");
}

TEST_CASE("poll: a wake is told once") {
    const auto b = make_poll();
    operation_list finished;
    b->wake();
    b->wake();
    CHECK(b->wait(time_point::max(), finished) == waited::news);
    CHECK(b->wait(b->now() + 2ms, finished) == waited::nothing);
}
