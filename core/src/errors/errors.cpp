// errors.cpp - texts of errors, and how `cancelled` is recognised.
#include <corun/errors.hpp>

#include <typeinfo>

#if defined(__GNUC__)
// The Itanium ABI's own question; <cxxabi.h> declares the same.
namespace __cxxabiv1 {
extern "C" std::type_info* __cxa_current_exception_type() noexcept;
}
#endif

namespace corun {

std::string_view to_string(errc code) noexcept {
    switch (code) {
    case errc::nested_run: return "nested_run";
    case errc::wrong_thread: return "wrong_thread";
    case errc::foreign_loop: return "foreign_loop";
    case errc::closed_loop: return "closed_loop";
    case errc::group_not_active: return "group_not_active";
    case errc::self_await: return "self_await";
    case errc::already_set: return "already_set";
    case errc::not_locked: return "not_locked";
    case errc::busy: return "busy";
    case errc::no_running_loop: return "no_running_loop";
    case errc::no_running_task: return "no_running_task";
    case errc::already_awaited: return "already_awaited";
    case errc::empty_handle: return "empty_handle";
    case errc::not_done: return "not_done";
    case errc::no_value: return "no_value";
    case errc::invalid_argument: return "invalid_argument";
    case errc::no_default_backend: return "no_default_backend";
    case errc::too_many_calls: return "too_many_calls";
    }
    return "unknown";
}

const char* task_cancelled::what() const noexcept { return "corun: the task that was joined had been cancelled"; }

const char* timed_out::what() const noexcept { return "corun: timed out"; }

const char* broken_callback::what() const noexcept {
    return "corun: the resolver of a from_callback() was destroyed without an answer; call it on every way out of the operation";
}

const char* interrupted::what() const noexcept { return "corun: interrupted by a signal"; }

namespace detail {

void throw_usage(errc code, const char* what) { throw usage_error(code, what); }

#if defined(__GNUC__)
// One compare instead of a throw of 10,000 instructions; exact because `cancelled` is final.
bool handling_cancelled() noexcept {
    const std::type_info* const type = __cxxabiv1::__cxa_current_exception_type();
    return type && *type == typeid(cancelled);
}
#else
bool handling_cancelled() noexcept {
    try {
        throw;
    } catch (const cancelled&) {
        return true;
    } catch (...) {
        return false;
    }
}
#endif

bool is_cancelled(const std::exception_ptr& e) noexcept {
    try {
        std::rethrow_exception(e);
    } catch (...) {
        return handling_cancelled();
    }
}

}

}
