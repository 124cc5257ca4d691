// exception_group.hpp - several exceptions that leave together (ExceptionGroup).
#pragma once

#include <cstddef>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace corun {

/// Exceptions of several children, in the order they ended; none is dropped. May hold groups, and `cancelled` where a
/// clean-up failed after a request. Copies share the exceptions.
class exception_group : public std::exception {
public:
    /// `exceptions` must not be empty and holds no null pointer.
    exception_group(std::string message, std::vector<std::exception_ptr> exceptions);

    exception_group(const exception_group&) = default;
    exception_group(exception_group&&) noexcept = default;
    exception_group& operator=(const exception_group&) = default;
    exception_group& operator=(exception_group&&) noexcept = default;
    ~exception_group() override;

    /// The message and the count: "unhandled errors in a task group (2 exceptions)".
    const char* what() const noexcept override { return what_.c_str(); }

    const std::string& message() const noexcept { return message_; }

    /// The exceptions as they came; a nested group is one of them.
    const std::vector<std::exception_ptr>& exceptions() const noexcept { return exceptions_; }
    std::size_t size() const noexcept { return exceptions_.size(); }

    /// Every exception that is no group, groups inside opened, in order.
    std::vector<std::exception_ptr> flatten() const;

    /// Calls `f(const E&)` for every exception inside, groups opened, that is an E; answers how many there were.
    template <class E, class F>
    std::size_t for_each(F f) const {
        std::size_t found = 0;
        for (const std::exception_ptr& e : flatten()) {
            try {
                std::rethrow_exception(e);
            } catch (const E& match) {
                ++found;
                f(match);
            } catch (...) {
            }
        }
        return found;
    }

    /// How many exceptions inside, groups opened, are an E.
    template <class E>
    std::size_t count() const {
        return for_each<E>([](const E&) {});
    }

    /// The exceptions that are an E and the others, each as a group of the same shape or null (ExceptionGroup.split).
    template <class E>
    std::pair<std::exception_ptr, std::exception_ptr> split() const {
        return split([](const std::exception_ptr& e) {
            try {
                std::rethrow_exception(e);
            } catch (const E&) {
                return true;
            } catch (...) {
                return false;
            }
        });
    }

    /// The tree as text, a line for each exception.
    std::string to_string() const;

private:
    using predicate = bool (*)(const std::exception_ptr&);
    std::pair<std::exception_ptr, std::exception_ptr> split(predicate belongs) const;

    std::string message_;
    std::string what_;
    std::vector<std::exception_ptr> exceptions_;
};

/// What an exception says: what() of a std::exception, a group as a tree, else the name of its kind. Empty for null.
std::string describe(const std::exception_ptr& e);

}
