// guest.hpp - an event loop that another loop turns: what a host needs, and how a program starts on it.
#pragma once

#include <corun/outcome.hpp>
#include <corun/runner.hpp>
#include <corun/spawn.hpp>

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

namespace corun {

namespace detail {
class run_course;
class hosted_run;
}

/// How a guest asks for dispatch(): `call(context)`, on any thread and with no lock of corun's held. It must do nothing but see to it that
/// the host calls dispatch() soon, on the guest's thread. It may take a lock that the host holds around dispatch(), but none that the
/// host holds around detach(), drain() or the guest's end: those wait for calls that are under way.
struct wake_hook {
    void (*call)(void*) noexcept = nullptr;
    void* context = nullptr;
};

/// How much one dispatch() may do before the host has its turn again.
struct dispatch_budget {
    unsigned resumes = 256;                         ///< entries of the ready queue that may run; a task that is resumed twice counts twice
    duration time = std::chrono::milliseconds(1);   ///< none begins later than this after the call (looked at every 16 entries)
    unsigned polls = 4;                             ///< looks at the kernel
};

/// What dispatch() leaves.
struct dispatch_result {
    bool more = false;       ///< something is ready: let the host's other sources have a turn, then call again without waiting
    bool finished = false;   ///< the guest's run is over, its loop closed
};

/// How a host learns that there is something to dispatch, beside the deadline and the hook.
enum class guest_news : std::uint8_t {
    handle,          ///< poll_handle() becomes readable
    host_loop,       ///< the backend lives on the host's own loop (make_asio(context), make_libuv(loop)): the hook is called
    helper_thread,   ///< neither: a thread calls block()
};

/// A loop that another event loop, the host, turns: with full run() lifecycle, on the thread that made it. The host's cycle:
///
///     if (guest.prepare()) { dispatch, without waiting } else { wait for poll_handle(), next_deadline() or the hook; then dispatch }
///
/// One guest for each thread; many roots are started with spawn(). Everything but request_stop(), block() and unblock() belongs to that
/// thread, and none of it may be called in a task of the guest's own, except spawn() and request_stop(). On another thread start(), spawn()
/// and attach() throw usage_error(errc::wrong_thread); the others, which throw nothing, print that and end the program. A ready-made host
/// for poll(2), a helper thread, Asio, libuv and GLib is in `adapters`.
///
/// A guest need not be started: what is spawned onto it runs as its host turns it. start() with a main that returns at once ends such a
/// guest in its host's turns; one that goes without it cancels and awaits its tasks in its destructor, which blocks until they have ended.
class guest {
public:
    /// Makes the backend and the loop, with run()'s options; interrupts are left to the host unless handle_interrupts(true) says
    /// otherwise. Throws usage_error(errc::nested_run) where a loop runs or a guest lives on this thread, std::system_error if the backend
    /// is refused.
    explicit guest(run_options options = {}) : guest(std::move(options), &make_default_backend) {}
    guest(const guest&) = delete;
    guest& operator=(const guest&) = delete;

    /// The run must be over, or never have begun: otherwise the tasks that live are printed and the program ends, because what they hold
    /// can't be given back without turns. See drain(). Allowed in on_done, but not in a task or callback of the guest's own.
    ~guest();

    /// Starts the guest's run, once: `main` is a task, or a callable that returns one. When it has ended, what is left has been cancelled
    /// and awaited and the loop is closed, dispatch() calls `on_done(outcome<T>)`, with main's value, its exception (`interrupted` and
    /// `deadlock` included) or `cancelled`. What on_done throws goes to the exception hook. It is the last that dispatch() does: it may
    /// destroy the guest, and its host before that.
    template <class F, class Done>
    void start(F&& main, Done&& on_done) {
        using main_handle = decltype(detail::start_any(std::declval<detail::loop_core&>(), nullptr, std::forward<F>(main)));
        using value = typename main_handle::value_type;
        static_assert(std::invocable<std::decay_t<Done>&, outcome<value>>,
                      "corun: guest::start takes a callable for the outcome<T> of main");
        detail::check_callback<std::decay_t<Done>, outcome<value>>();
        auto at_end = std::make_unique<completion_of<value, std::decay_t<Done>>>(std::forward<Done>(on_done));
        prepare_start();
        const entered in(*this);
        at_end->main = detail::start_any(core(), nullptr, std::forward<F>(main));
        detail::task_state& state = at_end->main.state();
        begin(state, std::move(at_end));
    }

    /// As corun::spawn(), from the host's code too: a task of this loop's, in one of its next turns; start() may come later, or never.
    template <class F, class... Args>
    auto spawn(F&& f, Args&&... args) {
        check_thread();
        const entered in(*this);
        return detail::start_any(core(), nullptr, std::forward<F>(f), std::forward<Args>(args)...);
    }

    /// Asks the host for dispatch(); called at most once for each sleep, never within dispatch(), and after the end only by the drain()
    /// that brought it, once. Throws usage_error(errc::already_set) if there is a host already. The host calls dispatch() once after it;
    /// prepare() says so. Without a hook the guest makes its poll_handle() readable, as unblock() does: the first choice of a host that
    /// watches the handle, since nothing of the host's is then called on other threads; throws usage_error(errc::invalid_argument) where
    /// news() is not `handle`.
    void attach(wake_hook hook = {});

    /// No host any more: the hook is not called once this has returned. The guest goes on with another one, or with drain().
    void detach() noexcept;

    /// Hands requests to the kernel and says whether the host may sleep: true means that there is something to dispatch now. After false
    /// the guest counts as asleep, until dispatch().
    bool prepare() noexcept;

    /// How the host hears of news: by native_handle(), or by its own wake-up; decided when the guest is made.
    guest_news news() const noexcept { return news_; }

    /// Readable when there is something to dispatch; the same for life, level-triggered. no_native_handle unless news() is `handle`. To be
    /// watched for reading, and by nobody after the guest's end.
    native_handle poll_handle() const noexcept { return handle_; }

    /// Makes poll_handle() readable until the next dispatch(): for a host that tries whether its poller tells it so. Not inside dispatch().
    void make_readable() noexcept;

    /// The earliest timer, if there is one: dispatch() is due then. Valid after prepare() has answered false. A host whose timers are
    /// coarser rounds up.
    std::optional<time_point> next_deadline() const noexcept;

    /// Runs what is ready, and what has become ready in the kernel, within the budget. Cheap and harmless without need. Inside itself (a
    /// host's loop that runs in a task) it does nothing. Throws nothing and lets nothing through.
    dispatch_result dispatch(const dispatch_budget& budget = {}) noexcept;

    /// Asks main to end, as Ctrl-C does. Any thread, any number of times, of which the first counts: before start() it is kept, and main is
    /// cancelled before its first step. A main that has not ended when `run_options::shutdown_grace` has passed since is stopped where it
    /// stands, as by a second interrupt: it awaits the host, say, which turns no more. What is left is then cancelled, and given up after
    /// the grace.
    void request_stop(std::source_location where = std::source_location::current()) noexcept;

    /// Turns the loop here, blocking, until the run is over or `until` has come: for a host that goes away early, after request_stop().
    /// True if the run is over (or never began). What awaits the host's own objects does not end, since nothing turns the host: cancel
    /// those first, or set run_options::shutdown_grace. With news() == host_loop it turns the host's loop, and must not be called inside
    /// that.
    bool drain(time_point until) noexcept;

    /// The same for so long at most.
    template <class Rep, class Period>
    bool drain(std::chrono::duration<Rep, Period> at_most) noexcept {
        return drain(saturating_add(get_loop().time(), saturating_nanoseconds(at_most)));
    }

    /// Returns when there is something to dispatch, or at the deadline. For a helper thread, between prepare() and the next use of
    /// anything else, for which unblock() makes it return.
    void block(time_point deadline) noexcept;

    /// Before another thread calls block(), until the next dispatch(): `end(context)` makes block() return and waits until it has. It is
    /// called at most once, on the guest's thread, before the host's code closes or cancels something while the guest is asleep. Null: no
    /// thread does so any more.
    void lend_backend(void (*end)(void*) noexcept, void* context) noexcept;

    /// Makes block() return. Any thread.
    void unblock() noexcept;

    /// True inside dispatch() and drain(): a host's loop that runs in a task leaves the guest alone.
    bool is_dispatching() const noexcept { return dispatching_; }

    /// True in a forked child, whose parent's guest it is (10): nothing of it may be asked, and a thread that helped its host is not there.
    bool is_in_child() const noexcept;

    /// True from start() on; is_finished() once its main has ended and the loop is shut down.
    bool is_started() const noexcept { return course_ != nullptr; }
    bool is_finished() const noexcept { return finished_; }

    /// The loop: for post(), ref(), counters().
    class loop& get_loop() const noexcept { return *loop_; }

    /// Throws usage_error(errc::wrong_thread) on another thread than the guest's.
    void check_thread() const;

    /// The guest that lives on this thread, or null.
    static guest* here() noexcept;

    /// True if a guest lives on this thread.
    static bool is_here() noexcept { return here() != nullptr; }

private:
    friend class detail::hosted_run;

    struct completion {
        virtual ~completion() = default;
        virtual void call(const detail::run_course&) = 0;
    };
    template <class T, class Done>
    struct completion_of final : completion {
        template <class D>
        explicit completion_of(D&& d) : done(std::forward<D>(d)) {}
        void call(const detail::run_course& course) override {
            done([&]() -> outcome<T> {
                try {
                    throw_end(course);
                    return outcome<T>::of_call([this]() -> T { return std::move(main).take(); });
                } catch (const cancelled&) {
                    return outcome<T>::of_cancelled();
                } catch (...) {
                    return outcome<T>::of_error(std::current_exception());
                }
            }());
        }
        task_handle<T> main;
        Done done;
    };

    /// The loop is the current one meanwhile.
    class entered {
    public:
        explicit entered(guest& g) noexcept;
        entered(const entered&) = delete;
        ~entered();

    private:
        class loop* outer_;
    };

    struct stop_request : detail::entry {
        explicit stop_request(guest& g) noexcept;
        enum class phase : std::uint8_t { idle, being_made, made };
        guest& to;
        cancel_reason why;   // written by whoever makes it, read once it is made
        std::atomic<phase> made = phase::idle;
    };

    guest(run_options&& options, std::unique_ptr<backend> (*make_default)());
    explicit guest(detail::run_course& course);   // of a run() that another loop hosts: for corun's tests

    static void throw_end(const detail::run_course&);
    static void on_news(void* self) noexcept;
    detail::loop_core& core() const noexcept { return detail::core_of(*loop_); }
    void live_here(backend&);
    void prepare_start();
    void begin(detail::task_state& main, std::unique_ptr<completion> at_end) noexcept;
    bool has_work() const noexcept;
    void look() noexcept;
    bool advance() noexcept;
    bool turn_within(const dispatch_budget&) noexcept;
    void tell_end() noexcept;
    void stop_main(const cancel_reason&) noexcept;
    void require_thread() const noexcept;

    std::unique_ptr<runner> runner_;   // whose loop it is, unless it is that of a run()
    class loop* loop_;
    class loop* outer_ = nullptr;   // what that run() had made current
    std::unique_ptr<detail::run_course> own_course_;
    detail::run_course* course_ = nullptr;
    std::unique_ptr<completion> at_end_;
    wake_hook hook_;
    guest_news news_ = guest_news::helper_thread;
    native_handle handle_ = no_native_handle;
    stop_request stop_{*this};
    bool* is_gone_ = nullptr;   // while on_done runs: told of this guest's end
    bool has_host_ = false;
    bool is_asked_to_stop_ = false;
    cancel_reason asked_to_stop_;
    bool is_new_to_host_ = true;   // something may have been done that only a look between turns finds
    bool dispatching_ = false;
    bool finished_ = false;
};

}
