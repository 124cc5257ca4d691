// hook_log.hpp - an exception hook that remembers what it was told.
#pragma once

#include <corun/loop.hpp>

#include <cstdint>
#include <exception>
#include <string>
#include <vector>

namespace testing {

/// The text of an exception; "cancelled" and "unknown" for those that have none.
std::string text_of(const std::exception_ptr& error);

/// Must live longer than the loop that it is told by.
class hook_log {
public:
    struct report {
        std::string message;
        std::string what;   ///< the exception's text
        std::exception_ptr error;
        std::uint64_t task_id;
        std::string task_name;
    };

    hook_log() = default;
    hook_log(const hook_log&) = delete;

    /// For run_options::exception_hook().
    corun::exception_hook hook() {
        return [this](const corun::exception_report& r) {
            reports_.push_back({std::string(r.message), text_of(r.error), r.error, r.task_id, std::string(r.task_name)});
        };
    }

    /// Makes it the current loop's hook.
    void install() { corun::loop::current().set_exception_hook(hook()); }

    const std::vector<report>& reports() const noexcept { return reports_; }
    std::size_t size() const noexcept { return reports_.size(); }
    bool empty() const noexcept { return reports_.empty(); }

    /// The texts of the exceptions, with ", " between two.
    std::string joined() const;

private:
    std::vector<report> reports_;
};

}
