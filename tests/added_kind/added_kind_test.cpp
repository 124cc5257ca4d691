// added_kind_test.cpp - the kind that docs/adding-an-operation.md adds, awaited on each backend: it has no handle.
#include <corun/corun.hpp>
#include <corun/epoll.hpp>
#include <corun/file_size.hpp>
#include <corun/sim.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/semaphore.hpp>
#if CORUN_HAS_IO_URING
#include <corun/io_uring.hpp>
#endif

#include <chrono>
#include <cstddef>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

using namespace corun;
using namespace std::chrono_literals;

namespace {

using maker = std::function<std::unique_ptr<backend>()>;

/// Those that ask the system.
std::vector<maker> systems() {
    std::vector<maker> all{[] { return make_epoll(); }};
#if CORUN_HAS_IO_URING
    all.emplace_back([] { return make_io_uring(); });
#endif
    return all;
}

}

TEST_CASE("a kind that was added has its answer on each system, and its error") {
    const std::string name = "added_kind.txt";
    std::ofstream(name) << "seventeen letters";
    for (const maker& make : systems())
        run(run_options().with(make()), [&]() -> task<> {
            const std::size_t size = co_await file_size(name.c_str());
            CHECK(size == 17);
            const auto bounded = co_await as_result(timeout(10s, file_size(name.c_str())));
            REQUIRE(bounded.has_value());
            CHECK(*bounded == 17);
            const auto none = co_await as_result(file_size("no such file"));
            CHECK(none.error() == std::errc::no_such_file_or_directory);
            CHECK(loop::current().counters().pending_operations == 0);
        });
}

TEST_CASE("a kind that was added has its name in messages") {
    for (const maker& make : systems())
        run(run_options().with(make()), [&]() -> task<> {
            std::string message;
            try {
                (void)co_await file_size("no such file");
            } catch (const std::system_error& e) {
                message = e.what();
            }
            CHECK(message.find("file_size") != std::string::npos);
        });
}

TEST_CASE("a request ends what a kind without a handle waits for") {
    for (const maker& make : systems())
        run(run_options().with(make()).pool_threads(1), [&]() -> task<> {
            // The pool's only thread is held: it comes to none of them.
            testing::semaphore begun;
            testing::semaphore gate;
            auto holds = spawn(to_thread([&] {
                begun.release();
                gate.acquire();
            }));
            co_await yield();
            begun.acquire();
            const auto asks = []() -> task<std::size_t> { co_return co_await file_size("."); };
            std::vector<task_handle<std::size_t>> asking;
            for (int i = 0; i < 50; ++i)
                asking.push_back(spawn(asks));
            co_await yield();
            for (auto& one : asking)
                one.cancel();
            for (auto& one : asking) {
                (void)co_await settled(one);
                CHECK(testing::end_of(one) == "cancelled");
            }
            CHECK(loop::current().counters().pending_operations == 0);
            gate.release();
            co_await holds;
        });
}

TEST_CASE("a kind that was added is answered by the simulation") {
    run(run_options().with(make_sim(1)), []() -> task<> {
        const auto none = co_await as_result(file_size("anything"));
        CHECK(none.error() == std::errc::no_such_file_or_directory);
    });
}
