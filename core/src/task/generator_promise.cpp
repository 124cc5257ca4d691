// generator_promise.cpp - beginnings and ends of generators.
#include <corun/detail/generator_promise.hpp>
#include <corun/generator_exit.hpp>
#include <corun/task.hpp>

#include <cstdio>
#include <exception>

namespace corun::detail {

void generator_promise::begin() {
    loop_core& core = this_core();
    if (is_running())
        throw_usage(errc::busy, "corun::generator: another task waits for its next value already; one at a time");
    if (loop_id == 0) {
        loop_id = core.id;
        frame_begins();
        core.registry.generators.push_back(*this);
    } else if (loop_id != core.id) {
        throw_usage(errc::foreign_loop, "corun::generator: it began on another loop; its values come from there only");
    }
}

void generator_promise::unhandled_exception() noexcept {
    try {
        throw;
    } catch (const generator_exit&) {
        end = ending::value;
    } catch (...) {
        promise_base::unhandled_exception();
    }
}

void generator_promise::throw_exit() { throw generator_exit{}; }

void generator_promise::check_closed() const {
    if (!has_ended())
        throw_usage(errc::busy, "corun::generator: it gave a value when it was to end; let `generator_exit` pass");
}

bool generator_close_awaiter::await_ready() const {
    if (!*holder_)
        return true;
    generator_promise& p = generator_promise_of(*holder_);
    const bool has_begun = p.loop_id != 0;
    if (p.has_ended() || !has_begun)
        return true;
    p.begin();
    return false;
}

void generator_close_awaiter::await_resume() const {
    struct last_handle {
        ~last_handle() { destroy_generator(frame); }
        std::coroutine_handle<> frame;
    };
    const last_handle ended{std::exchange(*holder_, nullptr)};
    if (!ended.frame)
        return;
    generator_promise& p = generator_promise_of(ended.frame);
    if (p.closing)
        p.check_closed();
    p.rethrow();
}

task<> close_left_over(generator_promise& g) {
    struct awaiter : generator_close_awaiter {
        using generator_close_awaiter::generator_close_awaiter;
        bool await_ready() const noexcept { return false; }
        void await_resume() const noexcept {}
    };
    co_await awaiter(*g.holder);
    g.check_closed();
    if (const std::exception_ptr left = g.take_error()) {
        g.end = ending::value;   // reported by shut down, which closes it: its holder finds it ended
        std::rethrow_exception(left);
    }
}

void destroy_generator(std::coroutine_handle<> frame) noexcept {
    if (!frame)
        return;
    if (generator_promise_of(frame).is_running()) {
        std::fputs("corun: a generator is destroyed while a task waits for its next value; it must outlive that wait\n", stderr);
        std::terminate();
    }
    if (generator_promise_of(frame).loop_id == 0)
        frame_begins();
    frame.destroy();
}

}
