// report.cpp - exceptions that nobody else will see: to the hook, and to standard error if there is none or it throws.
#include <corun/exception_group.hpp>
#include <corun/loop.hpp>
#include <corun/task_handle.hpp>

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

void report_here(const exception_report& r) noexcept {
    if (loop* const l = loop::try_current())
        l->report(r);
    else
        print_report(r);
}

}

void loop::report(const exception_report& r) noexcept {
    if (!hook_) {
        print_report(r);
        return;
    }
    try {
        hook_(r);
    } catch (...) {
        print_report(r);
        exception_report second;
        second.message = "the exception hook threw";
        second.error = std::current_exception();
        print_report(second);
    }
}

namespace detail {

void report_current_exception(const char* where) noexcept {
    exception_report r;
    r.message = where;
    r.error = std::current_exception();
    report_here(r);
}

void report_task(task_state& t, const char* message, const std::exception_ptr& error) noexcept {
    try {
        const std::string name = task_ref(t).name();
        exception_report r;
        r.message = message;
        r.error = error;
        r.task_id = t.id;
        r.task_name = name;
        report_here(r);
    } catch (...) {
        report_current_exception(message);
    }
}

void report_unobserved(task_state& t, const char* message) noexcept {
    t.observed = true;
    // A handle made here would be the last one again.
    t.add_reference();
    report_task(t, message, t.error);
    --t.references;
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

}

}
