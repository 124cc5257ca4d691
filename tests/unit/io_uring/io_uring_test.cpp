// io_uring_test.cpp - io_uring through the seam and without a loop: small rings, cancels that meet answers, refusal by the system.
#include <unit/cards_without_handle.hpp>
#include <unit/refuse_call.hpp>
#include <unit/seam.hpp>

#include <corun/corun.hpp>
#include <corun/io_uring.hpp>
#include <support/os.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <thread>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

using namespace seam;
using namespace testing;
using namespace std::chrono_literals;

namespace {

const io_uring_options tiny(4, 8);

/// As this kernel is, as a small ring, and as on the oldest kernel.
const std::vector<io_uring_options> all_options = {io_uring_options(), tiny, io_uring_options(4, 8, true)};

/// While it lives, `count` descriptors can be open.
class many_descriptors {
public:
    explicit many_descriptors(rlim_t count) {
        REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
        rlimit now = before_;
        now.rlim_cur = std::max(now.rlim_cur, std::min(count, now.rlim_max));
        REQUIRE(::setrlimit(RLIMIT_NOFILE, &now) == 0);
    }
    ~many_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

/// A connection with a read that the kernel has.
struct reading {
    explicit reading(backend& b) : c(b), r(c.ours) { REQUIRE(b.submit(r.o) == submitted::pending); }

    connection c;
    read_card r;
};

using readings = std::vector<std::unique_ptr<reading>>;

readings make_readings(backend& b, std::size_t count) {
    readings all;
    for (std::size_t i = 0; i < count; ++i)
        all.push_back(std::make_unique<reading>(b));
    return all;
}

/// Waits until so many operations have finished; each of them once.
void collect_all(backend& b, std::size_t count) {
    std::vector<operation*> all;
    while (all.size() < count) {
        const auto some = collect(b, b.now() + 5s);
        REQUIRE_FALSE(some.empty());
        all.insert(all.end(), some.begin(), some.end());
    }
    CHECK(all.size() == count);
    std::sort(all.begin(), all.end());
    CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
    CHECK(collect(b).empty());
}

/// What making the backend says in a process where the call is refused.
std::string told_without(unsigned call, unsigned error) {
    const auto child = os::run_in_child([&] {
        const auto before = os::open_descriptors();
        refuse_call(call, error);
        try {
            (void)make_io_uring();
        } catch (const backend_unavailable& e) {
            os::say(std::to_string(e.code().value()) + " " + e.what());
        }
        return before == os::open_descriptors() ? 0 : 1;
    });
    CHECK(child.code == 0);
    return child.output;
}

}

TEST_CASE("RES-06 1,000 answers at once in a ring that holds 8: none is lost, none comes twice; 1,000 requests in one that takes 4 wait "
          "their turn") {
    const many_descriptors many(2200);
    for (const bool basic : {false, true}) {
        const auto b = make_io_uring(io_uring_options(4, 8, basic));
        const auto all = make_readings(*b, 1000);
        CHECK(collect(*b).empty());
        for (std::size_t i = 0; i < all.size(); ++i)
            send_all(all[i]->c.peer, std::to_string(i));
        collect_all(*b, all.size());
        std::size_t right = 0;
        for (std::size_t i = 0; i < all.size(); ++i)
            right += all[i]->r.o.error == 0 && all[i]->r.text() == std::to_string(i);
        CHECK(right == all.size());
    }
}

TEST_CASE("RES-06 wakes between answers that find no room are not lost") {
    const auto b = make_io_uring(tiny);
    const auto all = make_readings(*b, 100);
    CHECK(collect(*b).empty());
    for (int round = 0; round < 3; ++round) {
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (round == 0)
                send_all(all[i]->c.peer, "x");
            b->wake();
        }
        operation_list finished;
        CHECK(b->wait(time_point::max(), finished) == waited::news);
        while (b->wait(time_point::min(), finished) == waited::news) {
        }
    }
    b->wake();
    operation_list finished;
    CHECK(b->wait(time_point::max(), finished) == waited::news);
}

TEST_CASE("a cancelled read leaves the bytes where they are, or brings them") {
    for (const auto& options : all_options) {
        const auto b = make_io_uring(options);
        const auto all = make_readings(*b, 60);
        CHECK(collect(*b).empty());
        // A third has bytes before, a third after it is cancelled; the last third is cancelled before the kernel has heard of it.
        for (std::size_t i = 0; i < all.size(); i += 3)
            send_all(all[i]->c.peer, "kept");
        readings late = make_readings(*b, 20);
        for (const auto& each : late)
            CHECK(b->cancel(each->r.o));
        for (const auto& each : all)
            CHECK_FALSE(b->cancel(each->r.o));
        for (std::size_t i = 0; i < all.size(); ++i)
            if (i % 3 != 0)
                send_all(all[i]->c.peer, "kept");
        for (const auto& each : late)
            send_all(each->c.peer, "kept");
        collect_all(*b, all.size() + late.size());
        std::size_t kept = 0;
        for (const auto* list : {&all, static_cast<const readings*>(&late)}) {
            for (const auto& each : *list) {
                if (each->r.o.error == 0) {
                    kept += each->r.text() == "kept";
                    continue;
                }
                REQUIRE(each->r.o.error == ECANCELED);
                read_card again(each->c.ours);
                (void)b->submit(again.o);
                seam::wait_for(*b, again.o);
                kept += again.o.error == 0 && again.text() == "kept";
            }
        }
        CHECK(kept == all.size() + late.size());
    }
}

TEST_CASE("a connection that meets the cancel of its accept is answered, or waits for the next one") {
    for (const auto& options : all_options) {
        const auto b = make_io_uring(options);
        const fd plain = plain_listener();
        const auto listener = b->adopt(::fcntl(plain.get(), F_DUPFD_CLOEXEC, 0), handle_kind::tcp_listener);
        REQUIRE(listener);
        for (int i = 0; i < 50; ++i) {
            address peer;
            card first(operation_kind::accept, *listener), second(operation_kind::accept, *listener);
            first.peer = second.peer = &peer;
            REQUIRE(b->submit(first) == submitted::pending);
            if (i % 2 == 0)
                collect(*b);
            const fd client = plain_connect(name_of(plain.get()));
            b->cancel(first);
            seam::wait_for(*b, first);
            if (first.error != 0) {
                REQUIRE(first.error == ECANCELED);
                (void)b->submit(second);
                seam::wait_for(*b, second);
            }
            const card& served = first.error != 0 ? second : first;
            REQUIRE(served.error == 0);
            CHECK(peer == name_of(client.get()));
            CHECK_FALSE(b->close(served.accepted));
        }
        CHECK_FALSE(b->close(*listener));
    }
}

TEST_CASE("a close with operations pending has closed the descriptor when it returns, and their answers come once") {
    for (const auto& options : all_options) {
        const auto b = make_io_uring(options);
        reading r(*b);
        CHECK(collect(*b).empty());
        parked_write w(*b, r.c.ours);
        CHECK(collect(*b).empty());
        CHECK_FALSE(r.c.close());
        CHECK(::fcntl(r.c.native, F_GETFD) == -1);
        CHECK(collect(*b, time_point::max()).size() == 2);
        CHECK(r.r.o.error == ECANCELED);
        CHECK(w.o->error == ECANCELED);
        CHECK(collect(*b).empty());
    }
}

TEST_CASE("operations of many slices wait in the kernel, too") {
    for (const auto& options : all_options) {
        const auto b = make_io_uring(options);
        connection c(*b);
        char one[3]{}, two[4]{};
        const std::array<io_slice, 2> into = {{{one, sizeof one}, {two, sizeof two}}};
        card r(operation_kind::read, c.ours);
        r.slices = into.data();
        r.slice_count = 2;
        REQUIRE(b->submit(r) == submitted::pending);
        CHECK(collect(*b).empty());
        send_all(c.peer, "sliced");
        seam::wait_for(*b, r);
        CHECK(r.count == 6);
        CHECK(std::string(one, 3) + two == "sliced");

        parked_write full(*b, c.ours);
        std::vector<char> drain(1 << 20);
        while (!full.o->is_finished()) {
            (void)::recv(c.peer.get(), drain.data(), drain.size(), MSG_DONTWAIT);
            collect(*b);
        }
        CHECK(full.o->error == 0);
        CHECK(full.o->count > 0);
    }
}

TEST_CASE("a wait without news ends at its deadline, not before") {
    for (const auto& options : all_options) {
        const auto b = make_io_uring(options);
        operation_list finished;
        for (const duration length : std::vector<duration>{1ns, 1us, 50us, 999us, 1001us}) {
            const time_point deadline = b->now() + length;
            REQUIRE(b->wait(deadline, finished) == waited::nothing);
            CHECK(b->now() >= deadline);
        }
    }
}

TEST_CASE("the handle to wait on is readable when there is news, and only then") {
    for (const auto& options : all_options) {
        const auto b = make_io_uring(options);
        const int handle = static_cast<int>(b->wait_handle());
        REQUIRE(handle >= 0);
        const auto is_readable = [&] {
            pollfd p{handle, POLLIN, 0};
            return ::poll(&p, 1, 0) == 1;
        };
        reading r(*b);
        collect(*b);   // prepares for the wait outside
        CHECK_FALSE(is_readable());
        send_all(r.c.peer, "x");
        wait_readable(handle);
        CHECK(collect(*b) == std::vector<operation*>{&r.r.o});
        collect(*b);
        CHECK_FALSE(is_readable());
        std::thread([&] { b->wake(); }).join();
        wait_readable(handle);
        operation_list finished;
        CHECK(b->wait(time_point::min(), finished) == waited::news);
        collect(*b);   // the answers that a wait itself brings about are told of, too: once in vain
        CHECK_FALSE(is_readable());
    }
}

TEST_CASE("what a wait leaves to the next one is told of by the handle") {
    const many_descriptors many(2200);
    // The second one: more answers than the ring holds are there before the wait, which itself brings about none.
    for (const auto& options : {tiny, io_uring_options(4, 256, true)}) {
        const auto b = make_io_uring(options);
        const int handle = static_cast<int>(b->wait_handle());
        REQUIRE(handle >= 0);
        const auto all = make_readings(*b, 600);
        CHECK(collect(*b).empty());
        for (const auto& each : all)
            send_all(each->c.peer, "x");
        std::size_t finished = 0;
        for (int waits = 0; finished < all.size(); ++waits) {
            REQUIRE(waits < 600);
            wait_readable(handle);
            finished += collect(*b).size();
        }
        CHECK(finished == all.size());
    }
}

TEST_CASE("block() on another thread returns with the news, or at its deadline") {
    const auto b = make_io_uring();
    REQUIRE(b->wait_handle() != no_native_handle);
    reading r(*b);
    collect(*b);
    const auto begun = b->now();
    std::thread([&] { b->block(begun + 5ms); }).join();
    CHECK(b->now() >= begun + 5ms);
    std::thread blocked([&] { b->block(time_point::max()); });
    send_all(r.c.peer, "x");
    blocked.join();
    CHECK(collect(*b) == std::vector<operation*>{&r.r.o});
}

TEST_CASE("a backend that was made on another thread belongs to the one that waits first") {
    std::unique_ptr<backend> b;
    std::thread([&] { b = make_io_uring(); }).join();
    reading r(*b);
    CHECK(collect(*b).empty());
    send_all(r.c.peer, "x");
    CHECK(collect(*b, time_point::max()) == std::vector<operation*>{&r.r.o});
}

TEST_CASE("EMB-08 where a filter or a setting refuses io_uring, making the backend says so, says what to do, and leaves nothing open") {
    for (const int call : {SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register}) {
        for (const int error : {ENOSYS, EPERM}) {
            const std::string told = told_without(static_cast<unsigned>(call), static_cast<unsigned>(error));
            INFO(told);
            CHECK(told.find(std::to_string(error) + " corun: io_uring") == 0);
            CHECK(told.find("CORUN_BACKEND=epoll") != std::string::npos);
            CHECK(told.find("make_epoll()") != std::string::npos);
        }
    }
}

TEST_CASE("EMB-08 a run for which io_uring is refused throws, and the same program runs on epoll") {
    const auto child = os::run_in_child([] {
        refuse_call(SYS_io_uring_setup, EPERM);
        const auto main = []() -> task<int> {
            co_await sleep_for(1ms);
            co_return 7;
        };
        try {
            return run(run_options().with(make_io_uring()), main);
        } catch (const std::system_error& e) {
            return e.code() == std::errc::operation_not_permitted ? run(run_options().with(make_epoll()), main) : 1;
        }
    });
    CHECK(child.code == 7);
}

TEST_CASE("cards without a handle pass io_uring") {
    for (const auto& options : all_options) {
        const auto b = make_io_uring(options);
        connection c(*b);   // so that there is a table
        check_cards_without_handle(*b);
    }
}
