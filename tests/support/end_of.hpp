// end_of.hpp - how an await or a task ended, in a word: "value", "cancelled", "timed_out", "E1", "group[E1 E2]".
#pragma once

#include <corun/errors.hpp>
#include <corun/exception_group.hpp>
#include <corun/outcome.hpp>
#include <corun/task_handle.hpp>
#include <support/hook_log.hpp>

#include <exception>
#include <string>

namespace testing {

/// corun's own exceptions by their names, a group with all that is in it, any other by its text.
inline std::string end_of(const std::exception_ptr& error) {
    if (!error)
        return "value";
    try {
        std::rethrow_exception(error);
    } catch (const corun::exception_group& group) {
        std::string text;
        for (const std::exception_ptr& e : group.exceptions())
            text += (text.empty() ? "group[" : " ") + end_of(e);
        return text + "]";
    } catch (const corun::timed_out&) {
        return "timed_out";
    } catch (const corun::task_cancelled&) {
        return "task_cancelled";
    } catch (...) {
        return text_of(error);
    }
}

template <class T>
std::string end_of(const corun::outcome<T>& left) {
    return left.is_cancelled() ? "cancelled" : end_of(left.error());
}

/// Looks at the task's error, which is then no news to the hook.
inline std::string end_of(const corun::task_ref& t) {
    if (!t.is_done())
        return "pending";
    return t.is_cancelled() ? "cancelled" : end_of(t.error());
}

}
