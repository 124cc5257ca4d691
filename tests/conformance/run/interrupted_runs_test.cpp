// interrupted_runs_test.cpp - what an interrupt leaves as it was: the order of what stood ready, and the count for the next run.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/os.hpp>
#include <support/say_end.hpp>

#include <csignal>
#include <string>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;
using os::raise_signal;
using os::run_in_child;
using os::say;

namespace {

void interrupt_soon(int times) {
    loop::current().call_soon([times] {
        for (int i = 0; i < times; ++i)
            raise_signal(SIGINT);
    });
}

const std::string interrupted_by_sigint = "interrupted by " + std::to_string(SIGINT);

}

TEST_CASE("RUN-41 what stood in the turn that an interrupt stopped comes before what was made ready in it") {
    const auto child = run_in_child([] {
        say_how_it_leaves([] {
            run([]() -> task<> {
                loop& l = loop::current();
                l.call_soon([&l] {
                    l.call_soon([] { say("later, "); });
                    raise_signal(SIGINT);
                    raise_signal(SIGINT);
                });
                l.call_soon([] { say("of this turn, "); });
                co_await sleep_for(1h);
            });
        });
        return 0;
    });
    CHECK(child.output == "of this turn, later, " + interrupted_by_sigint);
}

TEST_CASE("RUN-43 each run of a runner has its own first interrupt") {
    const auto child = run_in_child([] {
        runner r;
        for (int i = 0; i < 4; ++i) {
            say_how_it_leaves([&r] {
                r.run([]() -> task<> {
                    interrupt_soon(1);
                    const auto end = co_await settled(sleep_for(1h));
                    say(end.is_cancelled() ? "main cancelled, " : "main slept, ");
                    co_await yield();   // a loop that was stopped would not come here
                    say("goes on, ");
                });
            });
            say(". ");
        }
        return 0;
    });
    const std::string each = "main cancelled, goes on, returned. ";
    CHECK(child.output == each + each + each + each);
    CHECK(child.code == 0);
}
