// started.hpp - how a child of a group says that it is ready (trio's task_status.started).
#pragma once

#include <corun/errors.hpp>
#include <corun/event.hpp>
#include <corun/outcome.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace corun {

class task_group;

namespace detail {

/// What a starting child and whoever waits for it share.
template <class T>
struct start_state {
    event over;               // ready, or ended
    std::optional<T> value;   // what it said when it was ready
    bool is_ready = false;
    std::exception_ptr error;   // what it ended with before it was ready
};

}

/// Given to a child that task_group::start() starts: called once, with what the starter is to get. Moves only. Loop's thread.
template <class T = void>
class started {
    using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;
    using state = detail::start_state<stored>;

public:
    explicit started(std::shared_ptr<state> s) noexcept : state_(std::move(s)) {}
    started(started&&) noexcept = default;
    started& operator=(started&&) noexcept = default;

    /// The child is ready: start() returns, in a later turn. Throws usage_error(errc::already_set) the second time.
    void operator()()
        requires std::is_void_v<T>
    {
        tell(std::monostate());
    }
    template <class U = T>
        requires(!std::is_void_v<T>)
    void operator()(U&& value) {
        tell(std::forward<U>(value));
    }

private:
    template <class U>
    void tell(U&& value) {
        if (state_->is_ready)
            detail::throw_usage(errc::already_set, "corun::started: the child has said that it is ready before; it does so once");
        state_->value.emplace(std::forward<U>(value));
        state_->is_ready = true;
        state_->over.set();
    }

    std::shared_ptr<state> state_;
};

}
