// interposer.cpp - see faults.hpp.
#include "faults.hpp"

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <stdexcept>

#include <dlfcn.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace faults {
namespace {

plan current;
std::atomic<std::size_t> injected = 0;
std::atomic<std::uint64_t> draws = 0;

calls failing_kind = calls::none;
int failing_error = 0;
std::atomic<std::size_t> until_failure = 0;
std::atomic<bool> failed = false;

/// The system's own function of a name.
template <class Function>
Function* real(const char* name) noexcept {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

bool one_of_hundred(int percent) noexcept {
    if (percent == 0)
        return false;
    std::uint64_t z = (draws.fetch_add(1) + 1) * 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return (z ^ (z >> 31)) % 100 < static_cast<std::uint64_t>(percent);
}

bool inject(int error) noexcept {
    ++injected;
    errno = error;
    return true;
}

/// Drawn, not each second one: a loop of two calls would have its wait interrupted for ever.
bool is_interrupted() noexcept { return one_of_hundred(current.interrupted) && inject(EINTR); }

bool fails(calls kind) noexcept {
    if (kind != failing_kind || until_failure == 0 || until_failure.fetch_sub(1) != 1)
        return false;
    failed = true;
    return inject(failing_error);
}

bool is_eventfd(int fd) noexcept {
    char path[] = "/proc/self/fd/0000000000";
    std::snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    char target[32] = {};
    return ::readlink(path, target, sizeof target - 1) > 0 && std::strcmp(target, "anon_inode:[eventfd]") == 0;
}

/// What a poller was told last of each descriptor. A socket that has more than a faulty try says is told as a new edge, as the system
/// itself never does that to an edge-triggered poller.
class registrations {
public:
    void note(int epoll, int what, int fd, const epoll_event* e) {
        const std::lock_guard lock(mutex_);
        if (fd < 0 || fd >= most)
            return;
        known_[fd] = what == EPOLL_CTL_DEL || !e ? known{} : known{epoll, *e};
    }
    void tell_again(int fd) {
        const std::lock_guard lock(mutex_);
        if (fd < 0 || fd >= most || known_[fd].epoll < 0)
            return;
        static auto* const control = real<int(int, int, int, epoll_event*)>("epoll_ctl");
        control(known_[fd].epoll, EPOLL_CTL_MOD, fd, &known_[fd].event);
    }

private:
    static constexpr int most = 20'000;
    struct known {
        int epoll = -1;
        epoll_event event{};
    };
    std::mutex mutex_;
    known known_[most];
};

registrations all_registrations;

/// A try on a socket: interrupted, refused as if it would block, or failing.
bool try_fails(int fd, calls kind) noexcept {
    const int kept = errno;
    if (is_interrupted() || fails(kind))
        return true;
    if (kind == calls::moving_bytes && fails(calls::taking_memory))
        return true;
    if (one_of_hundred(current.would_block)) {
        all_registrations.tell_again(fd);
        return inject(EAGAIN);
    }
    errno = kept;
    return false;
}

std::size_t shortened(int fd, std::size_t size) noexcept {
    if (!current.tiny || size <= 1)
        return size;
    ++injected;
    all_registrations.tell_again(fd);
    return 1;
}

/// One byte of the first buffer that has any.
struct short_message {
    short_message(int fd, const msghdr& m) noexcept : message(m) {
        if (!current.tiny)
            return;
        std::size_t i = 0;
        while (i + 1 < m.msg_iovlen && m.msg_iov[i].iov_len == 0)
            ++i;
        if (m.msg_iovlen == 0 || m.msg_iov[i].iov_len == 0)
            return;
        one = {m.msg_iov[i].iov_base, shortened(fd, m.msg_iov[i].iov_len)};
        message.msg_iov = &one;
        message.msg_iovlen = 1;
    }
    msghdr message;
    iovec one{};
};

bool accept_fails(int listener) noexcept {
    constexpr int errors[] = {ECONNABORTED, EPROTO, ENETDOWN};
    if (!one_of_hundred(current.lost_connections))
        return false;
    if (current.takes_lost_ones) {
        static auto* const accept_really = real<int(int, sockaddr*, socklen_t*)>("accept");
        ::close(accept_really(listener, nullptr, nullptr));
    }
    return inject(errors[injected % 3]);
}

/// The plan that the environment wants, from before main() to its end.
struct environment_plan {
    environment_plan() {
        if (const char* const id = std::getenv("CORUN_FAULTS"))
            current = plan_of(id);
    }
    ~environment_plan() {
        if (std::getenv("CORUN_FAULTS"))
            std::printf("faults injected: %zu\n", injected.load());
        std::fflush(stdout);
    }
} from_environment;

}

plan plan_of(const std::string& id) {
    plan p;
    if (id == "F-01")
        p.interrupted = 50;
    else if (id == "F-02")
        p.would_block = 20;
    else if (id == "F-03")
        p.tiny = true;
    else if (id == "F-08")
        p.lost_connections = 20;
    else if (id == "F-09")
        p.odd_wakes = 10;
    else
        throw std::invalid_argument("CORUN_FAULTS: there is no plan " + id + "; there are F-01, F-02, F-03, F-08 and F-09");
    return p;
}

in_force::in_force(const plan& p) : before_(current) { current = p; }
in_force::~in_force() { current = before_; }

failing_call::failing_call(calls kind, std::size_t nth, int error) {
    failing_kind = kind;
    failing_error = error;
    failed = false;
    until_failure = nth;
}
failing_call::~failing_call() {
    until_failure = 0;
    failing_kind = calls::none;
}
bool failing_call::has_failed() const noexcept { return failed; }

std::size_t count() noexcept { return injected; }

}

using namespace faults;

extern "C" {

int socket(int domain, int type, int protocol) noexcept {
    static auto* const f = real<int(int, int, int)>("socket");
    return fails(calls::making_descriptors) ? -1 : f(domain, type, protocol);
}

int eventfd(unsigned value, int flags) noexcept {
    static auto* const f = real<int(unsigned, int)>("eventfd");
    return fails(calls::making_descriptors) ? -1 : f(value, flags);
}

int epoll_create1(int flags) noexcept {
    static auto* const f = real<int(int)>("epoll_create1");
    return fails(calls::making_descriptors) ? -1 : f(flags);
}

int pipe2(int ends[2], int flags) noexcept {
    static auto* const f = real<int(int*, int)>("pipe2");
    return fails(calls::making_descriptors) ? -1 : f(ends, flags);
}

int accept4(int fd, sockaddr* peer, socklen_t* size, int flags) {
    static auto* const f = real<int(int, sockaddr*, socklen_t*, int)>("accept4");
    if (fails(calls::making_descriptors) || accept_fails(fd) || try_fails(fd, calls::taking_memory))
        return -1;
    return f(fd, peer, size, flags);
}

int listen(int fd, int backlog) noexcept {
    static auto* const f = real<int(int, int)>("listen");
    return fails(calls::taking_memory) ? -1 : f(fd, backlog);
}

/// Interrupted, it goes on all the same.
int connect(int fd, const sockaddr* where, socklen_t size) {
    static auto* const f = real<int(int, const sockaddr*, socklen_t)>("connect");
    if (fails(calls::taking_memory))
        return -1;
    const int answer = f(fd, where, size);
    if (answer < 0 && errno == EINPROGRESS && !is_interrupted())
        errno = EINPROGRESS;
    return answer;
}

ssize_t recv(int fd, void* data, size_t size, int flags) {
    static auto* const f = real<ssize_t(int, void*, size_t, int)>("recv");
    return try_fails(fd, calls::moving_bytes) ? -1 : f(fd, data, shortened(fd, size), flags);
}

ssize_t send(int fd, const void* data, size_t size, int flags) {
    static auto* const f = real<ssize_t(int, const void*, size_t, int)>("send");
    return try_fails(fd, calls::moving_bytes) ? -1 : f(fd, data, shortened(fd, size), flags);
}

ssize_t recvmsg(int fd, msghdr* m, int flags) {
    static auto* const f = real<ssize_t(int, msghdr*, int)>("recvmsg");
    if (try_fails(fd, calls::moving_bytes))
        return -1;
    short_message less(fd, *m);
    return f(fd, &less.message, flags);
}

ssize_t sendmsg(int fd, const msghdr* m, int flags) {
    static auto* const f = real<ssize_t(int, const msghdr*, int)>("sendmsg");
    if (try_fails(fd, calls::moving_bytes))
        return -1;
    const short_message less(fd, *m);
    return f(fd, &less.message, flags);
}

ssize_t read(int fd, void* data, size_t size) {
    static auto* const f = real<ssize_t(int, void*, size_t)>("read");
    return is_interrupted() ? -1 : f(fd, data, size);
}

/// To an eventfd, whose writes are of eight bytes, it may come twice or late.
ssize_t write(int fd, const void* data, size_t size) {
    static auto* const f = real<ssize_t(int, const void*, size_t)>("write");
    if (is_interrupted())
        return -1;
    if (size == sizeof(std::uint64_t) && one_of_hundred(current.odd_wakes) && is_eventfd(fd)) {
        ++injected;
        if (injected % 2 == 0)
            ::usleep(1000);
        else
            f(fd, data, size);
    }
    return f(fd, data, size);
}

int poll(pollfd* fds, nfds_t count, int milliseconds) {
    static auto* const f = real<int(pollfd*, nfds_t, int)>("poll");
    return is_interrupted() ? -1 : f(fds, count, milliseconds);
}

int epoll_wait(int epoll, epoll_event* events, int size, int milliseconds) {
    static auto* const f = real<int(int, epoll_event*, int, int)>("epoll_wait");
    return is_interrupted() ? -1 : f(epoll, events, size, milliseconds);
}

int epoll_pwait(int epoll, epoll_event* events, int size, int milliseconds, const sigset_t* mask) {
    static auto* const f = real<int(int, epoll_event*, int, int, const sigset_t*)>("epoll_pwait");
    return is_interrupted() ? -1 : f(epoll, events, size, milliseconds, mask);
}

int epoll_ctl(int epoll, int what, int fd, epoll_event* e) noexcept {
    static auto* const f = real<int(int, int, int, epoll_event*)>("epoll_ctl");
    if (what != EPOLL_CTL_DEL && fails(calls::registering))
        return -1;
    const int answer = f(epoll, what, fd, e);
    if (answer == 0)
        all_registrations.note(epoll, what, fd, e);
    return answer;
}

/// For epoll_pwait2, which older C libraries have no function for.
long syscall(long number, ...) noexcept {
    static auto* const f = real<long(long, ...)>("syscall");
    va_list list;
    va_start(list, number);
    long a[6];
    for (long& one : a)
        one = va_arg(list, long);
    va_end(list);
    if (number == 441 && is_interrupted())   // SYS_epoll_pwait2
        return -1;
    return f(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
}
