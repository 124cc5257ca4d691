// signals.cpp - the handler counts and wakes, nothing else; the dispositions are the only thing loops share.
#include "signals.hpp"

#include "sys.hpp"

#include <atomic>
#include <csignal>

#include <sched.h>

namespace corun::posix {
namespace {

static_assert(std::atomic<interrupt_counter*>::is_always_lock_free && std::atomic<int>::is_always_lock_free, "handlers need it");

std::atomic<interrupt_counter*> holder = nullptr;
std::atomic<int> handlers_inside = 0;
std::atomic<pid_t> holder_process = 0;

constexpr int interrupts[] = {SIGINT, SIGTERM, SIGQUIT};

void take_default_action(int signal) noexcept {
    struct ::sigaction standard{};
    standard.sa_handler = SIG_DFL;
    sys::sigaction(signal, &standard, nullptr);
    ::raise(signal);   // blocked here; acts when the handler returns
}

void on_interrupt(int signal) {
    const int kept = errno;
    ++handlers_inside;
    if (::getpid() != holder_process) {
        take_default_action(signal);   // a forked child: the loop and its wake descriptor are the parent's
    } else if (interrupt_counter* const c = holder) {
        if (signal != SIGQUIT && ++c->count > c->default_after) {
            take_default_action(signal);
        } else {
            if (signal == SIGQUIT)
                ++c->dumps;
            else
                c->signal = signal;
            ++c->arrivals;
            c->to_wake->wake();
        }
    }
    --handlers_inside;
    errno = kept;
}

bool is_ours(const struct ::sigaction& a) noexcept { return (a.sa_flags & SA_SIGINFO) == 0 && a.sa_handler == &on_interrupt; }

bool is_default(const struct ::sigaction& a) noexcept { return (a.sa_flags & SA_SIGINFO) == 0 && a.sa_handler == SIG_DFL; }

bool install(int signal) noexcept {
    struct ::sigaction found{};
    if (sys::sigaction(signal, nullptr, &found) < 0 || !is_default(found))
        return false;
    struct ::sigaction ours{};
    ours.sa_handler = &on_interrupt;
    ours.sa_flags = SA_RESTART;   // other threads' calls go on
    sigemptyset(&ours.sa_mask);
    return sys::sigaction(signal, &ours, nullptr) == 0;
}

void restore(int signal) noexcept {
    struct ::sigaction found{};
    if (sys::sigaction(signal, nullptr, &found) < 0 || !is_ours(found))
        return;
    struct ::sigaction standard{};
    standard.sa_handler = SIG_DFL;
    sys::sigaction(signal, &standard, nullptr);
}

/// What a forked child inherited belongs to no loop of its own.
void forget_parent() noexcept {
    const pid_t self = ::getpid();
    if (holder_process.exchange(self) == self || !holder)
        return;
    for (const int s : interrupts)
        restore(s);
    handlers_inside = 0;
    holder = nullptr;
}

}

bool catch_interrupts(interrupt_counter& counter) noexcept {
    forget_parent();
    interrupt_counter* nobody = nullptr;
    if (!holder.compare_exchange_strong(nobody, &counter))
        return false;
    // Each for itself: a shell starts background jobs with SIGINT ignored, and SIGTERM is still to end them.
    const bool interrupt = install(SIGINT);
    const bool termination = counter.termination && install(SIGTERM);
    const bool quit = counter.quit && install(SIGQUIT);
    const bool any = interrupt || termination || quit;
    if (!any)
        holder = nullptr;
    return any;
}

void release_interrupts(interrupt_counter& counter) noexcept {
    if (holder != &counter || holder_process != ::getpid())
        return;
    for (const int s : interrupts)
        restore(s);
    holder = nullptr;
    // Another thread may be in the handler, with the counter in its hand.
    while (handlers_inside > 0)
        ::sched_yield();
}

}
