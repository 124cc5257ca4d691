// interrupts.cpp - through the C library, whose handlers the console's events reach: a program's own signal() is seen and left alone.
#include "interrupts.hpp"

#include "windows.hpp"

#include <atomic>
#include <csignal>

#ifndef SIGBREAK
#define SIGBREAK 21
#endif

namespace corun::iocp {
namespace {

std::atomic<interrupt_counter*> holder = nullptr;
std::atomic<int> handlers_inside = 0;

constexpr int signals[] = {SIGINT, SIGBREAK, SIGTERM};

using signal_handler = void (*)(int);

void count(interrupt_counter& c, int signal) noexcept {
    c.signal = signal;
    ++c.arrivals;
    c.to_wake->wake();
}

void take_default_action(int signal) noexcept {
    if (signal != SIGTERM)   // as the console's own handler, which does not come to it
        ::TerminateProcess(::GetCurrentProcess(), STATUS_CONTROL_C_EXIT);
    std::signal(signal, SIG_DFL);
    std::raise(signal);
}

void on_interrupt(int signal) {
    ++handlers_inside;
    std::signal(signal, &on_interrupt);   // it was set back to the default action
    if (interrupt_counter* const c = holder) {
        if (++c->count > c->default_after)
            take_default_action(signal);
        else
            count(*c, signal);
    }
    --handlers_inside;
}

/// The console's window is closed, or the session ends: the process lives for as long as this does not return, and a few seconds at most.
BOOL WINAPI on_console_end(DWORD event) {
    if (event != CTRL_CLOSE_EVENT && event != CTRL_LOGOFF_EVENT && event != CTRL_SHUTDOWN_EVENT)
        return FALSE;
    ++handlers_inside;
    interrupt_counter* const c = holder;
    const bool counts = c && ++c->count <= c->default_after;
    if (counts)
        count(*c, SIGTERM);
    --handlers_inside;
    if (!counts)
        return FALSE;
    ::Sleep(INFINITE);
    return TRUE;
}

bool install(int signal) noexcept {
    const signal_handler found = std::signal(signal, &on_interrupt);
    if (found == SIG_DFL)
        return true;
    if (found != SIG_ERR)
        std::signal(signal, found);
    return false;
}

/// What a program has set since then stays.
void restore(int signal) noexcept {
    const signal_handler found = std::signal(signal, SIG_DFL);
    if (found != &on_interrupt && found != SIG_ERR)
        std::signal(signal, found);
}

}

bool catch_interrupts(interrupt_counter& counter) noexcept {
    interrupt_counter* nobody = nullptr;
    if (!holder.compare_exchange_strong(nobody, &counter))
        return false;
    const bool interrupt = install(SIGINT);
    const bool pause = install(SIGBREAK);
    const bool termination = counter.termination && install(SIGTERM);
    if (termination)
        ::SetConsoleCtrlHandler(&on_console_end, TRUE);
    const bool any = interrupt || pause || termination;
    if (!any)
        holder = nullptr;
    return any;
}

void release_interrupts(interrupt_counter& counter) noexcept {
    if (holder != &counter)
        return;
    for (const int s : signals)
        restore(s);
    ::SetConsoleCtrlHandler(&on_console_end, FALSE);
    holder = nullptr;
    // Another thread may be in a handler, with the counter in its hand.
    while (handlers_inside > 0)
        ::Sleep(0);
}

}
