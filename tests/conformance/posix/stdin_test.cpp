// stdin_test.cpp - a read of standard input that nobody answers does not keep the program from ending.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/os.hpp>
#include <support/os_descriptor.hpp>
#include <support/semaphore.hpp>

#include <array>
#include <cstddef>
#include <cstdlib>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("SHD-04 a call on a pool thread that reads standard input keeps neither run nor exit once pool_grace is over") {
    const auto child = os::run_in_child([]() -> int {
        int ends[2];
        if (::pipe(ends) != 0 || ::dup2(ends[0], STDIN_FILENO) < 0)
            return 1;
        static testing::semaphore begun(0);
        run(run_options().pool_grace(10ms), []() -> task<> {
            const auto reads = []() -> task<> {
                const auto job = [] {
                    begun.release();
                    char byte;
                    return ::read(STDIN_FILENO, &byte, 1);   // the other end stays open, and silent
                };
                co_await abandon(to_thread(job));
            };
            spawn(reads);
            co_await yield();
            begun.acquire();
        });
        os::say("run returned");
        std::exit(7);   // destructors of statics and all, beside the thread that reads
    });
    CHECK(child.output == "run returned");
    CHECK(child.code == 7);
}

TEST_CASE("SHD-04 a pending read of a standard input that is a socket is cancelled when main ends") {
    const auto child = os::run_in_child([]() -> int {
        const auto [peer, input] = os::tcp_pair();
        if (::dup2(input.get(), STDIN_FILENO) < 0)
            return 1;
        run([]() -> task<> {
            const auto reads = []() -> task<> {
                auto in = tcp_stream::adopt(STDIN_FILENO);
                std::array<std::byte, 16> buffer;
                const auto left = co_await settled(in.read(buffer));
                os::say(left.is_cancelled() ? "cancelled, " : "read, ");
                left.rethrow();
            };
            spawn(reads);
            co_await yield();
            co_await yield();
        });
        os::say("run returned");
        return 7;
    });
    CHECK(child.output == "cancelled, run returned");
    CHECK(child.code == 7);
}
