// task_state.hpp - a spawned task: its place in queues, what it waits for, its requests, its end. One block, separate
// from its frame, which goes at the task's end although handles may live on.
#pragma once

#include <corun/detail/entry.hpp>
#include <corun/waiter.hpp>

#include <any>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace corun {
class loop;
}

namespace corun::detail {

struct registry_tag;
class child_owner;
struct loop_core;

/// How a task or a coroutine ended.
enum class ending : std::uint8_t { none, value, error, cancelled };

/// A turn, and the clock when the loop last read it until then, in milliseconds since the loop began.
struct turn_stamp {
    std::uint32_t turn = 0;
    std::uint32_t milliseconds = 0;
};

/// What few tasks have: a name, and values of task_local.
struct task_extras {
    std::string name;
    std::vector<std::pair<const void*, std::any>> locals;
};

struct task_state : entry, link<registry_tag> {
    enum class verb : std::uint8_t { drop_call, free };
    using actor = void (*)(task_state&, verb) noexcept;

    explicit task_state(actor a) noexcept : entry(&step), act(a) {}

    bool is_done() const noexcept { return outcome != ending::none; }

    /// A request to end; false if the task is done. Follows chains of joins in a loop (4.5, 5.1).
    bool cancel() noexcept;

    /// Takes one request back; answers how many are left (5.1).
    std::uint32_t uncancel() noexcept;

    /// One resumption, run from the ready queue.
    static void step(entry&, loop*) noexcept;

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

    loop_core* owner = nullptr;
    std::coroutine_handle<> resume_point;   // the leaf; once ended, the root
    waiter* waiting_on = nullptr;
    entry_list watchers;   // joiners and callbacks, in order of registration
    child_owner* group = nullptr;
    std::exception_ptr error;
    std::unique_ptr<task_extras> extras;
    actor act;
    std::uint64_t id = 0;
    std::uint32_t references = 1;
    std::uint32_t cancel_requests = 0;
    turn_stamp since;   // when it came to where it stands
    ending outcome = ending::none;
    bool must_cancel = false;   // a request that no await has taken yet
    bool started = false;
    bool ended = false;      // the root frame is at its final suspension
    bool observed = false;   // somebody looked at the error
    bool has_call = false;   // the callable and arguments that made the task: they go with its frame

private:
    void last_reference_gone() noexcept;
};

/// Who hears of children's ends: a group, a gather. Its children hang in it, the loop knows all owners.
class child_owner : public link<registry_tag> {
public:
    /// Bookkeeping, one turn after the child's end, before its joiners.
    virtual void child_ended(task_state& child) noexcept = 0;

    /// Whose scope it is.
    virtual task_state& parent_task() const noexcept = 0;

    intrusive_list<task_state, registry_tag> children;

protected:
    child_owner() noexcept = default;
    ~child_owner() {
        if (is_linked())
            unlink();
    }
};

}
