// signals_test.cpp - who gets interrupts, what the handler does, and what is left behind.
#include <unit/seam.hpp>

#include <support/scale.hpp>
#include <support/wrapped_backend.hpp>

#include <atomic>
#include <climits>
#include <csignal>
#include <functional>

#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace seam;

namespace {

bool is_default(int signal) noexcept {
    struct ::sigaction found{};
    return ::sigaction(signal, nullptr, &found) == 0 && found.sa_handler == SIG_DFL;
}

/// Sets a disposition and puts the old one back.
struct disposition {
    disposition(int s, void (*handler)(int)) : signal(s) {
        struct ::sigaction wanted{};
        wanted.sa_handler = handler;
        REQUIRE(::sigaction(signal, &wanted, &before) == 0);
    }
    ~disposition() { ::sigaction(signal, &before, nullptr); }
    int signal;
    struct ::sigaction before{};
};

/// A backend whose wake() does something besides.
struct wakes_with final : testing::wrapped_backend {
    explicit wakes_with(std::function<void()> besides) : wrapped_backend(make_epoll()), also(std::move(besides)) {}
    void wake() noexcept override {
        wrapped_backend::wake();
        also();
    }
    std::function<void()> also;
};

/// The signal that ends a child that runs `f`; 0 if it ends by itself.
template <class F>
int killed_by(F f) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        f();
        ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

}

TEST_CASE("an interrupt is counted and wakes the wait; release restores the default") {
    const disposition standard(SIGINT, SIG_DFL);
    const auto b = make_epoll();
    interrupt_counter counter;
    counter.to_wake = b.get();
    REQUIRE(b->catch_interrupts(counter));
    CHECK_FALSE(is_default(SIGINT));
    CHECK(counter.count == 0);
    REQUIRE(::raise(SIGINT) == 0);
    CHECK(counter.count == 1);
    CHECK(counter.signal == SIGINT);
    operation_list finished;
    CHECK(b->wait(time_point::max(), finished) == waited::news);
    b->release_interrupts(counter);
    CHECK(is_default(SIGINT));
}

TEST_CASE("termination is caught only if it is asked for") {
    const disposition interrupt(SIGINT, SIG_DFL), termination(SIGTERM, SIG_DFL);
    const auto b = make_epoll();
    interrupt_counter counter;
    counter.to_wake = b.get();
    REQUIRE(b->catch_interrupts(counter));
    CHECK(is_default(SIGTERM));
    b->release_interrupts(counter);

    counter.termination = true;
    REQUIRE(b->catch_interrupts(counter));
    REQUIRE(::raise(SIGTERM) == 0);
    CHECK(counter.signal == SIGTERM);
    b->release_interrupts(counter);
    CHECK(is_default(SIGTERM));
    CHECK(is_default(SIGINT));
}

TEST_CASE("one loop of the process has them; the next one gets them after it") {
    const disposition standard(SIGINT, SIG_DFL);
    const auto b = make_epoll(), other = make_epoll();
    interrupt_counter first, second;
    first.to_wake = b.get();
    second.to_wake = other.get();
    REQUIRE(b->catch_interrupts(first));
    CHECK_FALSE(other->catch_interrupts(second));
    other->release_interrupts(second);   // has nothing to release
    REQUIRE(::raise(SIGINT) == 0);
    CHECK(first.count == 1);
    b->release_interrupts(first);
    CHECK(other->catch_interrupts(second));
    other->release_interrupts(second);
}

TEST_CASE("a disposition that is not the default one is left alone") {
    const auto handler = GENERATE(SIG_IGN, static_cast<void (*)(int)>([](int) {}));
    const disposition theirs(SIGINT, handler);
    const auto b = make_epoll();
    interrupt_counter counter;
    counter.to_wake = b.get();
    CHECK_FALSE(b->catch_interrupts(counter));
    struct ::sigaction found{};
    REQUIRE(::sigaction(SIGINT, nullptr, &found) == 0);
    CHECK(found.sa_handler == handler);
}

TEST_CASE("termination is caught where SIGINT is ignored, as in a shell's background job") {
    const disposition ignored(SIGINT, SIG_IGN), standard(SIGTERM, SIG_DFL);
    const auto b = make_epoll();
    interrupt_counter counter;
    counter.to_wake = b.get();
    counter.termination = true;
    REQUIRE(b->catch_interrupts(counter));
    REQUIRE(::raise(SIGTERM) == 0);
    CHECK(counter.count == 1);
    b->release_interrupts(counter);
    CHECK(is_default(SIGTERM));
}

TEST_CASE("a handler that somebody put over ours stays") {
    const disposition standard(SIGINT, SIG_DFL);
    const auto b = make_epoll();
    interrupt_counter counter;
    counter.to_wake = b.get();
    REQUIRE(b->catch_interrupts(counter));
    {
        const disposition theirs(SIGINT, SIG_IGN);
        b->release_interrupts(counter);
        CHECK_FALSE(is_default(SIGINT));
    }
    struct ::sigaction reset{};
    reset.sa_handler = SIG_DFL;
    REQUIRE(::sigaction(SIGINT, &reset, nullptr) == 0);
}

// ThreadSanitizer calls handlers outside the signal that they are for: what they raise does not end the process there.
#if !defined(CORUN_TEST_THREAD_SANITIZED)
TEST_CASE("an interrupt above the bound gets the default action") {
    const disposition standard(SIGINT, SIG_DFL);
    const auto b = make_epoll();
    const auto interrupted = [&](int times) {
        interrupt_counter counter;
        counter.to_wake = b.get();
        counter.default_after = 2;
        if (!b->catch_interrupts(counter))
            ::_exit(1);
        for (int i = 0; i < times; ++i)
            ::raise(SIGINT);
    };
    CHECK(killed_by([&] { interrupted(2); }) == 0);
    CHECK(killed_by([&] { interrupted(3); }) == SIGINT);
}

TEST_CASE("a forked child does not wake its parent: an interrupt ends it, and its own loop may catch them") {
    const disposition standard(SIGINT, SIG_DFL);
    const auto b = make_epoll();
    interrupt_counter counter;
    counter.to_wake = b.get();
    REQUIRE(b->catch_interrupts(counter));
    CHECK(killed_by([] { ::raise(SIGINT); }) == SIGINT);
    operation_list finished;
    CHECK(b->wait(time_point::min(), finished) == waited::nothing);
    CHECK(killed_by([] {
              const auto own = make_epoll();
              interrupt_counter theirs;
              theirs.to_wake = own.get();
              if (!own->catch_interrupts(theirs))
                  ::_exit(0);
              ::raise(SIGINT);
              if (theirs.count == 1)
                  ::raise(SIGUSR1);   // says so
          }) == SIGUSR1);
    b->release_interrupts(counter);
}

#endif

TEST_CASE("ERR-51 an interrupt leaves the errno of the thread that it meets alone, whatever the wake does to it") {
    const disposition standard(SIGINT, SIG_DFL);
    wakes_with b([] { errno = EBADF; });
    interrupt_counter counter;
    counter.to_wake = &b;
    REQUIRE(b.catch_interrupts(counter));
    errno = ERANGE;
    const int raised = ::raise(SIGINT);
    const int left = errno;
    b.release_interrupts(counter);
    CHECK(raised == 0);
    CHECK(counter.count == 1);
    CHECK(left == ERANGE);
}

TEST_CASE("ERR-52 interrupts are released when no handler on another thread uses the counter any more") {
    const disposition standard(SIGINT, SIG_DFL);
    std::atomic<bool> is_inside = false, is_released = false, was_early = false;
    wakes_with b([&] {
        is_inside = true;
        while (!is_default(SIGINT))   // the release has begun
            ::sched_yield();
        for (int i = 0; i < 100; ++i) {
            ::sched_yield();
            was_early = was_early || is_released;
        }
    });
    interrupt_counter counter;
    counter.to_wake = &b;
    REQUIRE(b.catch_interrupts(counter));
    std::thread interrupted([] { ::pthread_kill(::pthread_self(), SIGINT); });
    while (!is_inside)
        ::sched_yield();
    b.release_interrupts(counter);
    is_released = true;
    interrupted.join();
    CHECK_FALSE(was_early);
    CHECK(counter.count == 1);
}

TEST_CASE("ERR-53 an interrupt does not cut short what another thread waits for") {
    const disposition standard(SIGINT, SIG_DFL);
    const auto b = make_epoll();
    interrupt_counter counter;
    counter.to_wake = b.get();
    counter.default_after = INT_MAX;
    REQUIRE(b->catch_interrupts(counter));
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const fd out(ends[0]), in(ends[1]);
    ssize_t got = -2;
    std::atomic<bool> is_over = false;
    std::thread reads([&] {
        char byte = 0;
        got = ::read(out.get(), &byte, 1);
        is_over = true;
        while (counter.count < 10)   // one who is gone can't be interrupted
            ::sched_yield();
    });
    // Each one has been handled before the next comes; by the second one the thread is in its call again.
    for (int i = 1; i <= 10; ++i) {
        ::pthread_kill(reads.native_handle(), SIGINT);
        while (counter.count < i)
            ::sched_yield();
    }
    CHECK_FALSE(is_over);
    const bool written = ::write(in.get(), "x", 1) == 1;
    reads.join();
    CHECK(written);
    CHECK(got == 1);
    b->release_interrupts(counter);
}
