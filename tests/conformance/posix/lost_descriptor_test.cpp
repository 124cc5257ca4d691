// lost_descriptor_test.cpp - somebody closes a descriptor of the loop's own: the program ends with a message, it neither spins nor hangs.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/counting_backend.hpp>
#include <support/os.hpp>
#include <support/os_descriptor.hpp>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// What a descriptor of a loop may be called, on whatever backend.
using kinds = std::vector<std::string>;
const kinds to_be_woken = {"eventfd"};
const kinds to_wait_on = {"eventpoll", "io_uring", "eventfd"};   // the last: where nothing stands for the others

/// In a child: does something to the descriptor, then sleeps, and is posted to as it goes to sleep. Gives up after two seconds.
os::child_end sleep_without(const kinds& kind, void (*harm)(int descriptor)) {
    return os::run_in_child([&] {
        ::alarm(2);
        backend_calls calls;
        run(run_options().with(std::make_unique<counting_backend>(calls)), [&]() -> task<> {
            harm(os::own_descriptor(kind));
            event posted;
            post_as_it_sleeps(calls, [&posted] { posted.set(); });
            co_await posted.wait();
        });
        return 0;
    });
}

void close_it(int descriptor) { ::close(descriptor); }

/// The number leads somewhere else, where nothing can be written.
void replace_it(int descriptor) {
    const int other = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(other, descriptor);
    ::close(other);
}

void check_end(const os::child_end& child) {
    INFO(child.output);
    CHECK(child.signal == SIGABRT);
    CHECK(child.output.find("corun: ") != std::string::npos);
    CHECK(child.output.find("descriptor") != std::string::npos);
}

}

TEST_CASE("THR-11 a wake descriptor that was closed or replaced behind the loop's back ends the program at the next wake, with a message") {
    check_end(sleep_without(to_be_woken, &close_it));
    check_end(sleep_without(to_be_woken, &replace_it));
}

TEST_CASE(
    "THR-11 a descriptor to wait on that was closed or replaced behind the loop's back ends the program at the next wait, with a message") {
    check_end(sleep_without(to_wait_on, &close_it));
    check_end(sleep_without(to_wait_on, &replace_it));
}
