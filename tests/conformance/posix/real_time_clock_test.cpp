// real_time_clock_test.cpp - no timer asks what time of day it is: that clock is set, and jumps. The program's own definitions of the
// functions that read clocks come before the C library's, and count.
#if defined(__linux__)   // elsewhere a program's own definitions don't count for the libraries that it uses

#include <corun/corun.hpp>
#include <support/catch.hpp>

#include <chrono>
#include <cstdint>

#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>

namespace {

struct readings {
    std::uint64_t monotonic = 0;
    std::uint64_t real_time = 0;   ///< of the time of day, by whatever function
};
thread_local readings of_this_thread;

template <class Function>
Function* from_c_library(const char* name) noexcept {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}

extern "C" {

int clock_gettime(clockid_t id, timespec* t) noexcept {
    static auto* const real = from_c_library<int(clockid_t, timespec*)>("clock_gettime");
    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE || id == CLOCK_TAI)
        ++of_this_thread.real_time;
    else if (id == CLOCK_MONOTONIC)
        ++of_this_thread.monotonic;
    return real(id, t);
}

int gettimeofday(timeval* t, void* zone) noexcept {
    static auto* const real = from_c_library<int(timeval*, void*)>("gettimeofday");
    ++of_this_thread.real_time;
    return real(t, zone);
}

time_t time(time_t* t) noexcept {
    static auto* const real = from_c_library<time_t(time_t*)>("time");
    ++of_this_thread.real_time;
    return real(t);
}
}

using namespace corun;
using namespace std::chrono_literals;

TEST_CASE("TMR-15 on the way of a timer the time of day is never read") {
    of_this_thread = {};
    int beats = 0;
    bool late = false;
    run([&]() -> task<> {
        co_await sleep_for(1ms);
        co_await sleep_for(0ms);
        co_await sleep_until(loop::current().time() + 1ms);
        const auto end = co_await settled(timeout(1ms, sleep_for(1h)));
        late = end.threw<timed_out>();
        event called;
        auto handle = loop::current().call_after(1ms, [&called] { called.set(); });
        co_await called.wait();
        auto beat = every(1ms);
        for (; beats < 3; ++beats)
            co_await beat;
        auto cancelled_one = spawn(sleep_for(1h));
        co_await yield();
        cancelled_one.cancel();
        co_await wait(cancelled_one);
        auto sleeper = spawn(sleep_for(1h));
        const auto done = co_await wait(sleeper).within(1ms);
    });
    const readings of_run = of_this_thread;
    CHECK(late);
    CHECK(beats == 3);
    CHECK(of_run.monotonic > 10);   // it is these functions that the loop calls
    CHECK(of_run.real_time == 0);

    (void)std::chrono::system_clock::now();   // and this would have been noticed
    CHECK(of_this_thread.real_time == of_run.real_time + 1);
}

#endif
