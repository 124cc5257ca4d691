// foreign_test.cpp - what other coroutine libraries give, awaited in a task.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/lifetimes.hpp>
#include <support/usage.hpp>

#include <coroutine>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// Resumed by whoever has the handle.
template <class T>
struct stored_handle {
    stored_handle(std::coroutine_handle<>& p, T v) : place(&p), value(std::move(v)) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) const noexcept { *place = h; }
    T await_resume() { return std::move(value); }

    std::coroutine_handle<>* place;
    T value;
};

/// Resumed on another thread, before await_suspend() has returned.
struct resumed_elsewhere {
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) const {
        std::thread([h] { h.resume(); }).join();
    }
    std::thread::id await_resume() const noexcept { return std::this_thread::get_id(); }
};

struct failing {
    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    void await_resume() const { throw std::runtime_error("theirs"); }
};

struct throws_cancelled {
    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    void await_resume() const { throw cancelled{}; }
};

struct reference_to {
    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    int& await_resume() const noexcept { return *object; }

    int* object;
};

struct with_member {
    reference_to operator co_await() && { return {object}; }

    int* object;
};

struct with_free {
    int* object;
};

reference_to operator co_await(with_free f) { return {f.object}; }

/// Somebody else's lazy coroutine, which hands over to the coroutine that awaits it.
class their_task {
public:
    struct promise_type {
        struct at_end {
            bool await_ready() const noexcept { return false; }
            std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> h) const noexcept { return h.promise().awaiting; }
            void await_resume() const noexcept {}
        };
        their_task get_return_object() { return their_task(std::coroutine_handle<promise_type>::from_promise(*this)); }
        std::suspend_always initial_suspend() const noexcept { return {}; }
        at_end final_suspend() const noexcept { return {}; }
        void return_value(std::string v) { value = std::move(v); }
        void unhandled_exception() { error = std::current_exception(); }

        std::coroutine_handle<> awaiting;
        std::string value;
        std::exception_ptr error;
    };
    their_task(their_task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    ~their_task() {
        if (frame_)
            frame_.destroy();
    }
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> h) const noexcept {
        frame_.promise().awaiting = h;
        return frame_;
    }
    std::string await_resume() const {
        if (frame_.promise().error)
            std::rethrow_exception(frame_.promise().error);
        return std::move(frame_.promise().value);
    }

private:
    explicit their_task(std::coroutine_handle<promise_type> h) noexcept : frame_(h) {}
    std::coroutine_handle<promise_type> frame_;
};

their_task says(std::string text, bool fails) {
    co_await resumed_elsewhere();
    if (fails)
        throw std::runtime_error("their task failed");
    co_return text;
}

}

TEST_CASE("THR-21 foreign() gives values, references and move-only values of another library's awaitables") {
    run([]() -> task<> {
        std::coroutine_handle<> theirs;
        loop::current().call_soon([&theirs] { theirs.resume(); });
        const auto owned = co_await foreign(stored_handle(theirs, std::make_unique<int>(5)));
        CHECK(*owned == 5);

        int object = 1;
        int& direct = co_await foreign(reference_to{&object});
        CHECK(&direct == &object);
        int& by_member = co_await foreign(with_member{&object});
        CHECK(&by_member == &object);
        int& by_function = co_await foreign(with_free{&object});
        CHECK(&by_function == &object);

        const reference_to kept{&object};
        int& of_lvalue = co_await foreign(kept);
        CHECK(&of_lvalue == &object);

        auto spawned = spawn(foreign(stored_handle(theirs, std::string("spawned"))));
        co_await yield();
        theirs.resume();
        const std::string text = co_await spawned;
        CHECK(text == "spawned");
    });
}

TEST_CASE("THR-22 what another thread resumes goes on in one of the loop's next turns, on the loop's thread") {
    run([]() -> task<> {
        const auto here = std::this_thread::get_id();
        const auto turn = loop::current().counters().turns;
        const std::thread::id theirs = co_await foreign(resumed_elsewhere());
        CHECK(theirs != here);
        CHECK(std::this_thread::get_id() == here);
        CHECK(loop::current().counters().turns > turn);
        const std::string said = co_await foreign(says("hello", false));
        CHECK(said == "hello");
    });
}

TEST_CASE("THR-23 exceptions of another library's awaitables leave the await; a cancellation in it is not the task's own") {
    run([]() -> task<> {
        const auto failed = co_await settled(foreign(failing()));
        CHECK(describe(failed.error()) == "theirs");
        const auto later = co_await settled(foreign(says("", true)));
        CHECK(describe(later.error()) == "their task failed");
        const auto other = co_await settled(foreign(throws_cancelled()));
        CHECK_FALSE(other.is_cancelled());
        CHECK_THROWS_AS(std::rethrow_exception(other.error()), task_cancelled);
        CHECK(this_task::handle().cancelling() == 0);
    });
}

TEST_CASE("THR-24 a request waits for another library's answer, which is given, and comes at the next await") {
    run([]() -> task<> {
        std::coroutine_handle<> theirs;
        int got = 0;
        bool request_came = false;
        auto waits = spawn([&]() -> task<> {
            got = co_await foreign(stored_handle(theirs, 7));
            request_came = (co_await settled(yield())).is_cancelled();
        });
        co_await yield();
        waits.cancel();
        for (int i = 0; i < 3; ++i)
            co_await yield();
        CHECK_FALSE(waits.is_done());
        theirs.resume();
        (void)co_await settled(waits);
        CHECK(got == 7);
        CHECK(request_came);

        // Before it has begun: nothing of the other library is begun either.
        theirs = nullptr;
        auto never = spawn([&]() -> task<> {
            this_task::handle().cancel();
            co_await foreign(stored_handle(theirs, 7));
        });
        const auto left = co_await settled(never);
        CHECK(never.is_cancelled());
        CHECK_FALSE(theirs);
    });
}

TEST_CASE("THR-25 abandon(foreign(x)): a request ends the wait at once, and x lives until it has been resumed") {
    lifetimes of_awaited;
    std::coroutine_handle<> theirs;
    run([&]() -> task<> {
        auto waits = spawn([&]() -> task<> { co_await abandon(foreign(stored_handle(theirs, counted(of_awaited)))); });
        co_await yield();
        waits.cancel();
        (void)co_await settled(waits);
        CHECK(waits.is_cancelled());
        CHECK(of_awaited.alive() == 1);
    });
    CHECK(of_awaited.alive() == 1);
    theirs.resume();   // the loop has gone: the answer is dropped
    CHECK(of_awaited.alive() == 0);
}

TEST_CASE("THR-26 another library that destroys what awaits it instead of resuming it breaks the await, during the run and after it") {
    std::coroutine_handle<> theirs;
    const auto awaits = [&]() -> task<> { co_await foreign(stored_handle(theirs, 1)); };
    run([&]() -> task<> {
        auto waits = spawn(awaits);
        co_await yield();
        theirs.destroy();
        const auto left = co_await settled(waits);
        CHECK_THROWS_AS(std::rethrow_exception(left.error()), broken_callback);
    });
    // Never resumed: shut down gives up at its grace, and the other side's frame stays the other side's.
    run(run_options().shutdown_grace(1ms).on_exception([](const exception_report&) {}), [&]() -> task<> {
        spawn(awaits);
        co_await yield();
    });
    theirs.destroy();
}
