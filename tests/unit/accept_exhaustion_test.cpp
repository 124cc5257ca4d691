// accept_exhaustion_test.cpp - accept when the process is out of descriptors (8.6). Here, not in the conformance suite: the
// limit is the system's own.
#include <corun/corun.hpp>
#include <posix/fd.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/os.hpp>
#include <support/scale.hpp>
#include <support/turns.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

#if !defined(CORUN_TEST_NEEDS_DESCRIPTORS)

namespace {

/// While it lives, no further descriptor can be had.
class no_descriptors {
public:
    no_descriptors() {
        REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
        // The limit is one above the largest number in use; the gaps below are filled.
        rlimit now = before_;
        now.rlim_cur = 0;
        const auto open = os::open_descriptors().value();
        for (const auto& d : open)
            now.rlim_cur = std::max<rlim_t>(now.rlim_cur, std::stoul(d) + 1);
        REQUIRE(::setrlimit(RLIMIT_NOFILE, &now) == 0);
        for (;;) {
            posix::fd one(::open("/dev/null", O_RDONLY | O_CLOEXEC));
            if (!one)
                break;
            held_.push_back(std::move(one));
        }
        REQUIRE(errno == EMFILE);
    }
    ~no_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
    std::vector<posix::fd> held_;
};

struct server {
    tcp_listener listener = tcp_listener::bind(loopback());
    std::vector<tcp_stream> clients;
    std::vector<tcp_stream> served;

    task<> connect_clients(int count) {
        for (int i = 0; i < count; ++i) {
            auto c = co_await connect(listener.local_address());
            clients.push_back(std::move(c));
        }
    }
    task<std::error_code> accept_one() {
        auto s = co_await as_result(listener.accept());
        if (s)
            served.push_back(std::move(*s));
        co_return s.error();
    }
};

}

TEST_CASE("RES-01 out of descriptors an accept says so once, the next one waits without a spin, and all clients are served") {
    const auto main = []() -> task<> {
        server s;
        co_await s.connect_clients(50);
        std::optional<no_descriptors> none(std::in_place);
        const auto error = co_await s.accept_one();
        CHECK(error == std::errc::too_many_files_open);

        // The next one waits out its 100 ms, and then says so again.
        const auto begun = clock::now();
        const auto turn = turn_number();
        const auto again = co_await s.accept_one();
        CHECK(again == std::errc::too_many_files_open);
        CHECK(clock::now() - begun >= 90ms);   // the pause began with the first answer
        CHECK(turn_number() - turn <= 10);

        none.reset();
        while (s.served.size() < s.clients.size()) {
            const auto served = co_await s.accept_one();
            REQUIRE_FALSE(served);
        }
    };
    run(main);
}

TEST_CASE("RES-01 a descriptor that this loop closes ends the pause at once, for those who wait in order") {
    const auto main = []() -> task<> {
        server s;
        co_await s.connect_clients(3);
        auto spare = co_await connected_pair();
        const no_descriptors none;
        const auto error = co_await s.accept_one();
        CHECK(error == std::errc::too_many_files_open);
        const auto begun = clock::now();
        const auto accepts = [&]() -> task<std::error_code> { return s.accept_one(); };
        auto first = spawn(accepts);
        auto second = spawn(accepts);
        co_await yield();
        CHECK(loop::current().counters().armed_timers == 1);
        spare.ours.close();
        const auto first_end = co_await first;
        CHECK_FALSE(first_end);
        CHECK(clock::now() - begun < 90ms);
        // The freed number is used up: the second one is told, after the first was served.
        const auto second_end = co_await second;
        CHECK(second_end == std::errc::too_many_files_open);
    };
    run(main);
}

TEST_CASE("RES-01 an accept in the pause can be cancelled and closed, and leaves no timer") {
    const auto main = []() -> task<> {
        server s;
        co_await s.connect_clients(1);
        const no_descriptors none;
        const auto error = co_await s.accept_one();
        CHECK(error == std::errc::too_many_files_open);
        const auto accepts = [&]() -> task<std::error_code> { return s.accept_one(); };
        auto cancelled_one = spawn(accepts);
        co_await yield();
        CHECK(loop::current().counters().armed_timers == 1);
        cancelled_one.cancel();
        co_await wait(cancelled_one);
        CHECK(cancelled_one.is_cancelled());
        CHECK(loop::current().counters().armed_timers == 0);

        auto closed_one = spawn(accepts);
        co_await yield();
        s.listener.close();
        const auto end = co_await closed_one;
        CHECK(end == std::errc::operation_canceled);
        CHECK(loop::current().counters().armed_timers == 0);
    };
    run(main);
}

TEST_CASE("RES-02 out of descriptors a connect and a bind are errors of their own, and the loop goes on") {
    const auto main = []() -> task<> {
        const auto where = tcp_listener::bind(loopback());
        {
            const no_descriptors none;
            const auto connected = co_await as_result(connect(where.local_address()));
            CHECK(connected.error() == std::errc::too_many_files_open);
            CHECK_THROWS_AS(tcp_listener::bind(loopback()), std::system_error);
        }
        const auto connected = co_await as_result(connect(where.local_address()));
        CHECK(connected.has_value());
    };
    run(main);
}

#endif
