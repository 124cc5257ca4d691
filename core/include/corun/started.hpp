// started.hpp - how a child of a group says that it is ready (trio's task_status.started).
#pragma once

#include <corun/detail/intrusive_list.hpp>
#include <corun/errors.hpp>
#include <corun/task_handle.hpp>

#include <coroutine>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace corun {

class task_group;

namespace detail {

struct start_tag;
class start_end;
class start_join;

/// The start of a child, in the frame of the task that waits for it; in a list of the group's until the child is ready.
class start_record : public link<start_tag> {
public:
    start_record() noexcept = default;
    start_record(const start_record&) = delete;
    ~start_record();

    bool is_ready() const noexcept { return is_ready_; }

    /// What this is the start of.
    const task_state* child = nullptr;

private:
    friend start_end;
    friend start_join;

    start_end* end_ = nullptr;        // the child's, until it has said that it is ready
    start_join* waiting_ = nullptr;   // the starter's
    bool is_ready_ = false;
};

template <class T>
struct start_record_of final : start_record {
    std::optional<T> value;   // what the child said when it was ready
};

/// The child's end of a start: moves with its `started`, and knows nothing of the starter once it has been used.
class start_end {
public:
    explicit start_end(start_record& r) noexcept : record_(&r) { r.end_ = this; }
    start_end(start_end&& other) noexcept { take(other); }
    start_end& operator=(start_end&& other) noexcept {
        if (this != &other) {
            let_go();
            take(other);
        }
        return *this;
    }
    ~start_end() { let_go(); }

    /// Throws usage_error(errc::already_set) once it has been used.
    start_record& record() const;

    /// The child is ready: the starter resumes in the next turn, and the child is the group's like any other.
    void tell() noexcept;

private:
    friend start_record;

    void take(start_end& other) noexcept {
        record_ = std::exchange(other.record_, nullptr);
        if (record_)
            record_->end_ = this;
    }
    void let_go() noexcept {
        if (record_)
            std::exchange(record_, nullptr)->end_ = nullptr;
    }

    start_record* record_ = nullptr;
};

inline start_record::~start_record() {
    if (is_linked())
        unlink();
    if (end_)
        end_->record_ = nullptr;
}

/// Waits until the child is ready or has ended; a request goes to the child, as that of a join does.
class start_join final : public join_waiter {
public:
    start_join(task_state& child, start_record& r) noexcept : join_waiter(child), record_(&r) {}

    bool await_ready() const noexcept { return record_->is_ready_; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> h, await_place where = await_place::current()) {
        task_state& t = suspending_task(h, where);
        record_->waiting_ = this;
        suspend(t);
    }

    /// Throws what ended the child before it was ready.
    void await_resume();

private:
    friend start_end;

    void child_is_ready() noexcept;

    start_record* record_;
};

}

/// Given to a child that task_group::start() starts: called once, with what the starter is to get. Moves only. Loop's thread.
template <class T = void>
class started {
    using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

public:
    /// For task_group::start().
    explicit started(detail::start_record_of<stored>& r) noexcept : end_(r) {}

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
        static_cast<detail::start_record_of<stored>&>(end_.record()).value.emplace(std::forward<U>(value));
        end_.tell();
    }

    detail::start_end end_;
};

}
