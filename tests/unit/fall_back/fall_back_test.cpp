// fall_back_test.cpp - a program that was built for io_uring, where the system has it and where it does not.
#include <refuse_call.hpp>

#include <corun/corun.hpp>
#include <corun/epoll.hpp>
#include <support/catch.hpp>
#include <support/os.hpp>
#include <support/scale.hpp>

#include <cerrno>
#include <string>

#include <sys/resource.h>
#include <sys/syscall.h>

using namespace corun;
using namespace testing;

namespace {

task<std::string> backend_in_use() { co_return std::string(loop::current().backend_name()); }

/// What a run says of itself, or what it throws.
std::string told_by(run_options&& options) {
    try {
        return run(std::move(options), backend_in_use);
    } catch (const backend_unavailable&) {
        return "unavailable";
    } catch (const std::system_error& e) {
        return e.code() == std::errc::too_many_files_open ? "no descriptors" : e.what();
    }
}

}

TEST_CASE("EMB-08 where io_uring is there, what run() may fall back to is not made") {
    static bool made = false;
    const auto makes = []() -> std::unique_ptr<backend> {
        made = true;
        return make_epoll();
    };
    CHECK(told_by(run_options().fall_back_to(makes)) == "io_uring");
    CHECK_FALSE(made);
}

TEST_CASE("EMB-08 where io_uring is refused, run() falls back only if its options say to what, else it throws backend_unavailable") {
    const auto child = os::run_in_child([] {
        refuse_call(SYS_io_uring_setup, EPERM);
        os::say(told_by(run_options()) + ", " + told_by(run_options().fall_back_to(&make_epoll)));
        return 0;
    });
    CHECK(child.output == "unavailable, epoll");
}

#if !defined(CORUN_TEST_NEEDS_DESCRIPTORS)

TEST_CASE("EMB-08 a system that is out of descriptors has io_uring all the same: nothing falls back") {
    const auto child = os::run_in_child([] {
        const rlimit none{0, 0};
        ::setrlimit(RLIMIT_NOFILE, &none);
        os::say(told_by(run_options().fall_back_to(&make_epoll)));
        return 0;
    });
    CHECK(child.output == "no descriptors");
}

#endif
