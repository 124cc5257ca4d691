// report.cpp - see report.hpp.
#include <corun/detail/loop_core.hpp>
#include <corun/detail/report.hpp>
#include <corun/errors.hpp>
#include <corun/exception_group.hpp>

#include <cstdio>
#include <string>

namespace corun {
namespace {

void print_report(const exception_report& r) noexcept {
    try {
        std::string text = "corun: " + std::string(r.message);
        if (r.task_id != 0)
            text += " (task " + std::to_string(r.task_id) + " \"" + std::string(r.task_name) + "\")";
        text += ": " + describe(r.error) + "\n";
        std::fputs(text.c_str(), stderr);
    } catch (...) {
        std::fputs("corun: an exception nobody else will see, and no memory to print it\n", stderr);
    }
}

}

namespace detail {

void tell_hook(const exception_hook& hook, const exception_report& r) noexcept {
    if (!hook) {
        print_report(r);
        return;
    }
    try {
        hook(r);
    } catch (...) {
        print_report(r);
        exception_report second;
        second.message = "the exception hook threw";
        second.error = std::current_exception();
        print_report(second);
    }
}

void report_here(const exception_report& r) noexcept {
    const loop_core* const core = try_core();
    if (core && !core->forked)
        tell_hook(core->hook, r);
    else
        print_report(r);
}

void report_current_exception(const char* where) noexcept {
    exception_report r;
    r.message = where;
    r.error = std::current_exception();
    report_here(r);
}

void report_destroyed_with_waiters(const char* primitive) noexcept {
    if (const loop_core* const core = try_core(); core && core->destroying)
        return;
    try {
        throw usage_error(errc::busy,
                          std::string("a corun::") + primitive + " was destroyed while tasks wait for it; they get operation_canceled");
    } catch (...) {
        report_current_exception("an object was destroyed under its waiters");
    }
}

void report_released_too_often() noexcept {
    try {
        throw usage_error(errc::not_locked, "a corun::bounded_semaphore was released when every permit was free: a guard gives its permit "
                                            "back itself; release() is for try_acquire() and permit::keep()");
    } catch (...) {
        report_current_exception("a permit was given back twice");
    }
}

}

}
