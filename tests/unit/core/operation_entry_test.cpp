// operation_entry_test.cpp - an operation finishes into an entry of the ready queue; a task is one of several.
#include <unit/seam.hpp>

#include <corun/corun.hpp>
#include <corun/detail/entry.hpp>
#include <corun/detail/loop_core.hpp>

using namespace seam;

namespace {

/// A callback's place in the ready queue.
struct callback : detail::entry {
    explicit callback(event& e) noexcept : entry(&call), called(e) {}
    static void call(entry& e, loop* turning) noexcept {
        if (turning)
            static_cast<callback&>(e).called.set();
    }
    event& called;
};

}

TEST_CASE("an operation that no task waits for calls a callback") {
    run(run_options().with(make_epoll()), []() -> task<> {
        detail::loop_core& core = detail::this_core();
        connection c(*core.backend);
        event called;
        callback then(called);
        read_card r(c.ours);
        r.o.to_schedule = &then;
        REQUIRE(core.backend->submit(r.o) == submitted::pending);
        ++core.figures.pending_operations;
        send_all(c.peer, "hello");
        co_await called.wait();
        CHECK(r.o.is_finished());
        CHECK(r.text() == "hello");
        CHECK(loop::current().counters().pending_operations == 0);
    });
}
