// task_state.hpp - a spawned task: its place in queues, what it waits for, its requests, its end. One block, separate
// from its frame, which goes at the task's end although handles may live on.
#pragma once

#include <corun/cancel_reason.hpp>
#include <corun/detail/local_slot.hpp>
#include <corun/detail/loop_core.hpp>
#include <corun/detail/waiting_node.hpp>

#include <coroutine>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace corun::detail {

/// How a task or a coroutine ended.
enum class ending : std::uint8_t { none, value, error, cancelled };

/// What few tasks have: a name, and values of task_local.
struct task_extras {
    std::string name;
    local_slot locals;
};

struct task_state : waiting_node, link<registry_tag> {
    enum class verb : std::uint8_t { drop_call, free };
    using actor = void (*)(task_state&, verb) noexcept;

    explicit task_state(actor a) noexcept : waiting_node(&first_step), act(a) {}

    bool is_done() const noexcept { return outcome != ending::none; }

    /// A request to end; false if the task is done. Follows chains of joins in a loop (4.5, 5.1).
    bool cancel(cancel_reason) noexcept;

    /// Takes one request back; answers how many are left (5.1).
    std::uint32_t uncancel() noexcept;

    /// The same by who made it, for which `before` was the reason then: it is so again, unless somebody has asked since.
    std::uint32_t take_back(const cancel_reason& own, const cancel_reason& before) noexcept;

    /// Of the last request, while not all have been taken back.
    cancel_reason why_cancelled() const noexcept { return cancel_requests > 0 ? reason_ : cancel_reason(); }

    /// True while a request is pending: no await has taken it yet.
    bool has_request() const noexcept { return must_cancel_; }

    /// An await, or what stands for one, takes the pending request; false if there is none.
    bool take_request() noexcept {
        if (!must_cancel_)
            return false;
        must_cancel_ = false;
        return true;
    }

    /// A request that an await had taken, and that lost against the await's answer: the next one has it.
    void leave_request_pending() noexcept { must_cancel_ = true; }

    /// Keeps a pending request from the awaits that follow, until it is given back; false if there is none. Holds nest.
    bool hold_request() noexcept {
        if (!take_request())
            return false;
        ++held_requests;
        return true;
    }

    /// The held request is pending again; false if it has been taken back meanwhile, with all others.
    bool give_back_request() noexcept {
        if (held_requests == 0)
            return false;
        --held_requests;
        must_cancel_ = true;
        return true;
    }

    /// One resumption, run from the ready queue; the first one is told apart.
    static void step(entry&, loop*) noexcept;
    static void first_step(entry&, loop*) noexcept;

    /// Before the first one: false if a request came before it, which has ended the task (5.2).
    bool begin(loop_core&) noexcept;

    bool has_started() const noexcept { return run != &first_step; }

    /// Called by the loop after the root frame came to its end.
    void finish(loop_core&) noexcept;

    /// Destroys the callable and the arguments, which live as long as the frames (1.1).
    void drop_call() noexcept {
        if (std::exchange(has_call, false))
            act(*this, verb::drop_call);
    }

    /// Destroys the suspended frames from the leaf, in a loop; the task counts as cancelled (1.3).
    void destroy_frames() noexcept;

    void add_reference() noexcept { ++references; }
    void release() noexcept {
        if (--references == 0)
            last_reference_gone();
    }

    task_extras& make_extras() {
        if (!extras)
            extras = std::make_unique<task_extras>();
        return *extras;
    }

    /// The name that was given to it, else "task-<id>".
    std::string name() const;

    /// Tells the exception hook about it.
    void report(const char* message, const std::exception_ptr& why) const noexcept;

    loop_core* core = nullptr;
    std::coroutine_handle<> resume_point;   // the leaf; once ended, the root
    entry_list watchers;                    // joiners and callbacks, in order of registration
    detail::scope* scope = nullptr;
    std::exception_ptr error;
    std::unique_ptr<task_extras> extras;
    actor act;
    std::uint64_t id = 0;
    std::uint32_t references = 1;
    std::uint32_t cancel_requests = 0;
    union {
        turn_stamp since{};      // when it came to where it stands
        std::uint64_t loop_id;   // once done: its loop may have gone
    };
    std::uint16_t held_requests = 0;   // by clean-ups, each inside the other
    ending outcome = ending::none;
    bool ended = false;      // the root frame is at its final suspension
    bool observed = false;   // somebody looked at the error
    bool has_call = false;   // the callable and arguments that made the task: they go with its frame

private:
    bool must_cancel_ = false;
    union {
        cancel_reason reason_;   // of the last request; there is none before the first
    };

    void last_reference_gone() noexcept;
};

/// What hears of its children's ends: a group, a gather. The children hang in it; the loop knows all scopes.
class scope : public link<registry_tag> {
public:
    /// Bookkeeping, one turn after the child's end, before its joiners.
    virtual void child_ended(task_state& child) noexcept = 0;

    /// Whose scope it is.
    virtual task_state& parent_task() const noexcept = 0;

    intrusive_list<task_state, registry_tag> children;

protected:
    scope() noexcept = default;
    ~scope() {
        if (is_linked())
            unlink();
    }
};

/// Calls `f(task)` for every unfinished task of a loop: those of one scope after another's, each scope's in creation order.
template <class F>
void for_each_task(loop_core& core, F f) {
    core.registry.free.for_each(f);
    core.registry.scopes.for_each([&f](scope& s) { s.children.for_each(f); });
}

}
