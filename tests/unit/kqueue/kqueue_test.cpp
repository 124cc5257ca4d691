// kqueue_test.cpp - what the kqueue backend leans on, asked of kqueue() itself: the system's, or the emulation's.
#include <support/catch.hpp>
#include <support/os_descriptor.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <thread>
#include <vector>

// After the system's own types.
#include <sys/event.h>

using testing::os::descriptor;
using testing::os::tcp_pair;

namespace {

using change = struct ::kevent;

change make(std::uintptr_t ident, int filter, unsigned flags, unsigned note = 0, void* data = nullptr) {
    change c{};
    c.ident = ident;
    c.filter = static_cast<decltype(c.filter)>(filter);
    c.flags = static_cast<decltype(c.flags)>(flags);
    c.fflags = note;
    c.udata = data;
    return c;
}

change of(const descriptor& d, int filter, unsigned flags, unsigned note = 0, void* data = nullptr) {
    return make(static_cast<std::uintptr_t>(d.get()), filter, flags, note, data);
}

struct queue {
    int tell(const change& c) const { return ::kevent(own.get(), &c, 1, nullptr, 0, nullptr); }

    /// News within a moment; at most `size` of them.
    std::vector<change> news(int size = 16, long milliseconds = 0) const {
        std::vector<change> found(static_cast<std::size_t>(size));
        const timespec timeout{milliseconds / 1000, milliseconds % 1000 * 1'000'000};
        const int count = ::kevent(own.get(), nullptr, 0, found.data(), size, &timeout);
        found.resize(static_cast<std::size_t>(count < 0 ? 0 : count));
        return found;
    }

    descriptor own = descriptor(::kqueue());
};

void send_all(const descriptor& to, std::string_view text, int flags = 0) {
    REQUIRE(::send(to.get(), text.data(), text.size(), flags) == static_cast<ssize_t>(text.size()));
}

}

TEST_CASE("kqueue: EV_CLEAR tells of each piece of news once, with the udata of its filter") {
    const queue q;
    const auto [ours, peer] = tcp_pair();
    int reads = 0;
    REQUIRE(q.tell(of(ours, EVFILT_READ, EV_ADD | EV_CLEAR, 0, &reads)) == 0);
    CHECK(q.news().empty());
    send_all(peer, "one");
    auto found = q.news(16, 1000);
    REQUIRE(found.size() == 1);
    CHECK(found[0].ident == static_cast<std::uintptr_t>(ours.get()));
    CHECK(found[0].filter == EVFILT_READ);
    CHECK(found[0].udata == &reads);
    CHECK(found[0].data == 3);
    CHECK(q.news().empty());   // not read, and yet told once
    send_all(peer, "two");
    found = q.news(16, 1000);
    REQUIRE(found.size() == 1);
    CHECK(found[0].data == 6);
}

TEST_CASE("kqueue: without EV_CLEAR it is told as long as it is true; EV_ONESHOT is told once and gone") {
    const queue q;
    const auto [ours, peer] = tcp_pair();
    send_all(peer, "x");
    REQUIRE(q.tell(of(ours, EVFILT_READ, EV_ADD)) == 0);
    CHECK(q.news(16, 1000).size() == 1);
    CHECK(q.news().size() == 1);
    REQUIRE(q.tell(of(ours, EVFILT_READ, EV_ADD | EV_ONESHOT)) == 0);
    CHECK(q.news().size() == 1);
    CHECK(q.news().empty());
    CHECK(q.tell(of(ours, EVFILT_READ, EV_DELETE)) == -1);
    CHECK(errno == ENOENT);
}

TEST_CASE("kqueue: the end comes with what can still be read") {
    const queue q;
    auto [ours, peer] = tcp_pair();
    send_all(peer, "last");
    ::shutdown(peer.get(), SHUT_WR);
    REQUIRE(q.tell(of(ours, EVFILT_READ, EV_ADD | EV_CLEAR)) == 0);
    auto found = q.news(16, 1000);
    REQUIRE(found.size() == 1);
    if ((found[0].flags & EV_EOF) == 0)   // it was on its way
        found = q.news(16, 1000);
    REQUIRE(found.size() == 1);
    CHECK((found[0].flags & EV_EOF) != 0);
    CHECK(found[0].data == 4);
    REQUIRE(q.tell(of(ours, EVFILT_WRITE, EV_ADD | EV_CLEAR)) == 0);
    for (const change& c : q.news())   // only one half is at its end
        CHECK((c.filter == EVFILT_READ || (c.flags & EV_EOF) == 0));
}

#if defined(EVFILT_EXCEPT) && defined(NOTE_OOB)
TEST_CASE("kqueue: urgent data is news of a filter of its own") {
    const queue q;
    const auto [ours, peer] = tcp_pair();
    REQUIRE(q.tell(of(ours, EVFILT_EXCEPT, EV_ADD | EV_CLEAR, NOTE_OOB)) == 0);
    send_all(peer, "x");
    for (const change& c : q.news(16, 50))
        CHECK(c.filter != EVFILT_EXCEPT);
    send_all(peer, "!", MSG_OOB);
    const auto found = q.news(16, 1000);
    REQUIRE(found.size() == 1);
    CHECK(found[0].filter == EVFILT_EXCEPT);
}
#endif

TEST_CASE("kqueue: a receipt for each change, also for one that is refused, and no news among them") {
    const queue q;
    const auto [ours, peer] = tcp_pair();
    send_all(peer, "x");
    std::array<change, 2> both{of(ours, EVFILT_READ, EV_ADD | EV_CLEAR | EV_RECEIPT), make(99'999, EVFILT_WRITE, EV_ADD | EV_RECEIPT)};
    REQUIRE(::kevent(q.own.get(), both.data(), 2, both.data(), 2, nullptr) == 2);
    CHECK((both[0].flags & EV_ERROR) != 0);
    CHECK(both[0].data == 0);
    CHECK((both[1].flags & EV_ERROR) != 0);
    CHECK(both[1].data == EBADF);
    CHECK(q.news(16, 1000).size() == 1);
}

TEST_CASE("kqueue: what a short list has no room for is told by the next call") {
    const queue q;
    const auto [one, peer_of_one] = tcp_pair();
    const auto [two, peer_of_two] = tcp_pair();
    std::array<int, 4> told{};
    for (const descriptor* const d : {&one, &two}) {
        int* const first = &told[d == &one ? 0 : 2];
        REQUIRE(q.tell(of(*d, EVFILT_READ, EV_ADD | EV_CLEAR, 0, first)) == 0);
        REQUIRE(q.tell(of(*d, EVFILT_WRITE, EV_ADD | EV_CLEAR, 0, first + 1)) == 0);
    }
    send_all(peer_of_one, "x");
    send_all(peer_of_two, "x");
    for (int i = 0; i < 16; ++i)
        for (const change& c : q.news(3))
            ++*static_cast<int*>(static_cast<void*>(c.udata));
    for (const int times : told)
        CHECK(times > 0);
    CHECK(q.news().empty());
}

TEST_CASE("kqueue: a watched number that is closed and used again has no filters of before") {
    const queue q;
    auto [ours, peer] = tcp_pair();
    const int number = ours.get();
    REQUIRE(q.tell(of(ours, EVFILT_READ, EV_ADD | EV_CLEAR)) == 0);
    ours = descriptor();
    auto [again, peer_of_it] = tcp_pair();
    const descriptor same(::dup2(again.get(), number));
    REQUIRE(same.get() == number);
    send_all(peer_of_it, "x");
    CHECK(q.news(16, 20).empty());
    REQUIRE(q.tell(of(same, EVFILT_READ, EV_ADD | EV_CLEAR)) == 0);
    CHECK(q.news(16, 1000).size() == 1);
}

TEST_CASE("kqueue: a user event wakes a wait from another thread, many count as one, and the descriptor of the queue polls readable") {
    const queue q;
    REQUIRE(q.tell(make(7, EVFILT_USER, EV_ADD | EV_CLEAR)) == 0);
    CHECK(q.tell(make(8, EVFILT_USER, 0, NOTE_TRIGGER)) == -1);
    CHECK(q.news().empty());
    std::thread other([&] {
        for (int i = 0; i < 3; ++i)
            q.tell(make(7, EVFILT_USER, 0, NOTE_TRIGGER));
    });
    change found{};
    CHECK(::kevent(q.own.get(), nullptr, 0, &found, 1, nullptr) == 1);
    other.join();
    CHECK(found.ident == 7);
    q.news();
    CHECK(q.news().empty());
    const auto before = std::chrono::steady_clock::now();
    CHECK(q.news(16, 3).empty());
    CHECK(std::chrono::steady_clock::now() - before >= std::chrono::milliseconds(3));
}
