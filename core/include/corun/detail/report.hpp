// report.hpp - exceptions that no caller will see: to the loop's hook, and to standard error if there is none or it throws (3.6).
#pragma once

#include <corun/exception_report.hpp>

namespace corun::detail {

/// Tells this hook, or standard error where it is empty or throws.
void tell_hook(const exception_hook&, const exception_report&) noexcept;

/// Tells the hook of the loop that runs here.
void report_here(const exception_report&) noexcept;

/// The same about the exception that is being handled.
void report_current_exception(const char* what_happened) noexcept;

void report_destroyed_with_waiters(const char* primitive) noexcept;
void report_released_too_often() noexcept;

}
