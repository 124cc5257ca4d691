// set_up_faults_test.cpp - the system refuses a call while a loop and its connections are set up: each call in turn. The program's own
// definitions of these functions come before the C library's.
#include <corun/corun.hpp>
#include <corun/epoll.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/os.hpp>
#include <support/scale.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>
#include <utility>

#include <dlfcn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

// ThreadSanitizer has definitions of its own, which it needs.
#if !defined(CORUN_TEST_THREAD_SANITIZED)

namespace {

/// What is refused: the `at`th call of this thread, with `error`. Nothing while `at` is 0.
struct refusal {
    int at = 0;
    int error = 0;
    int calls = 0;
    std::string refused;   ///< the function's name
};
thread_local refusal current;

template <class Function, class... Args>
int call_or_refuse(const char* name, Args... args) noexcept {
    if (current.at > 0 && ++current.calls == current.at) {
        current.refused = name;
        errno = current.error;
        return -1;
    }
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name))(args...);
}

}

extern "C" {

int epoll_create1(int flags) noexcept { return call_or_refuse<int(int)>("epoll_create1", flags); }
int epoll_ctl(int epoll, int what, int fd, epoll_event* e) noexcept {
    // Without a detach of its own a close does it.
    if (what == EPOLL_CTL_DEL)
        return reinterpret_cast<decltype(&epoll_ctl)>(::dlsym(RTLD_NEXT, "epoll_ctl"))(epoll, what, fd, e);
    return call_or_refuse<int(int, int, int, epoll_event*)>("epoll_ctl", epoll, what, fd, e);
}
int eventfd(unsigned value, int flags) noexcept { return call_or_refuse<int(unsigned, int)>("eventfd", value, flags); }
int socket(int domain, int type, int protocol) noexcept { return call_or_refuse<int(int, int, int)>("socket", domain, type, protocol); }
int bind(int fd, const sockaddr* where, socklen_t size) noexcept {
    return call_or_refuse<int(int, const sockaddr*, socklen_t)>("bind", fd, where, size);
}
int listen(int fd, int backlog) noexcept { return call_or_refuse<int(int, int)>("listen", fd, backlog); }
int getsockname(int fd, sockaddr* where, socklen_t* size) noexcept {
    return call_or_refuse<int(int, sockaddr*, socklen_t*)>("getsockname", fd, where, size);
}
int setsockopt(int fd, int level, int name, const void* value, socklen_t size) noexcept {
    return call_or_refuse<int(int, int, int, const void*, socklen_t)>("setsockopt", fd, level, name, value, size);
}
int connect(int fd, const sockaddr* where, socklen_t size) {
    return call_or_refuse<int(int, const sockaddr*, socklen_t)>("connect", fd, where, size);
}
int accept4(int fd, sockaddr* peer, socklen_t* size, int flags) {
    return call_or_refuse<int(int, sockaddr*, socklen_t*, int)>("accept4", fd, peer, size, flags);
}
}

namespace {

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

/// A loop, a listener, a connection, and a read that waits.
void set_up() {
    run(run_options().with(make_epoll()), []() -> task<> {
        auto listener = tcp_listener::bind(loopback());
        auto client = co_await connect(listener.local_address());
        auto served = co_await listener.accept();
        client.set_nodelay(true);
        std::array<std::byte, 1> byte;
        const auto reads = [&]() -> task<> { co_await served.read(byte); };
        auto reading = spawn(reads);
        co_await yield();
        co_await write_all(client, as_bytes("x"));
        co_await reading;
    });
}

/// Refuses each call in turn; says which ones there were, in order.
std::string refuse_each(int error) {
    std::string all;
    for (int at = 1; at < 100; ++at) {
        const auto descriptors = os::open_descriptors();
        current = {at, error, 0, {}};
        std::error_code told;
        try {
            set_up();
        } catch (const std::system_error& e) {
            told = e.code();
        }
        const refusal done = std::exchange(current, {});
        CHECK(os::open_descriptors() == descriptors);
        CHECK_FALSE(loop::try_current());
        if (done.refused.empty()) {
            CHECK_FALSE(told);
            return all;
        }
        INFO(done.refused << ", call " << at);
        CHECK(told == std::error_code(error, std::system_category()));
        all += done.refused + " ";
    }
    return all;
}

}

TEST_CASE("RES-03 each call that sets up a loop and a connection, refused in turn, is an error that leaves no descriptor open") {
    for (const int error : {EMFILE, ENOMEM, ENOBUFS}) {
        const std::string refused = refuse_each(error);
        INFO(refused);
        CHECK(
            refused.rfind("epoll_create1 eventfd epoll_ctl socket setsockopt setsockopt bind listen getsockname socket setsockopt connect ",
                          0) == 0);
        CHECK(refused.find("accept4 ") != std::string::npos);
    }
}

#endif
