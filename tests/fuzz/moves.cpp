// moves.cpp - see moves.hpp. A task waits for younger ones only: what waits for its own ancestor ends when somebody asks it to.
#include "moves.hpp"

#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace fuzz {
namespace {

using namespace corun;

constexpr int deepest = 7;

struct planned_error : std::runtime_error {
    planned_error() : runtime_error("planned") {}
};

std::chrono::milliseconds short_time(world& w, unsigned below) { return std::chrono::milliseconds(w.in.below(below)); }

task_handle<>* any_task(world& w) { return w.tasks.empty() ? nullptr : &w.tasks[w.in.below(static_cast<unsigned>(w.tasks.size()))]; }

/// One that may be waited for.
std::optional<task_handle<>> younger_task(world& w) {
    task_handle<>* const t = any_task(w);
    if (!t || t->id() <= this_task::id())
        return std::nullopt;
    return *t;
}

tcp_stream* any_stream(world& w) {
    return w.streams.empty() ? nullptr : w.streams[w.in.below(static_cast<unsigned>(w.streams.size()))].get();
}

generator<int> values(world& w, int depth) {
    for (int i = 0; i < 3; ++i) {
        if (w.in.one_in(3))
            co_await yield();
        if (w.in.one_in(8))
            throw planned_error();
        if (w.in.one_in(8) && depth < 5)
            (void)co_await settled(block(w, depth + 1));
        co_yield i;
    }
}

task<> passes_time(world& w, int) {
    if (w.in.below(2))
        co_await yield();
    else
        co_await sleep_for(short_time(w, 5));
}

task<> fails(world&, int) {
    throw planned_error();
    co_return;
}

task<> locks(world& w, int depth) {
    auto held = co_await w.mutexes[w.in.below(2)].lock();
    co_await block(w, depth + 1);
}

task<> takes_permit(world& w, int depth) {
    auto permit = co_await w.semaphore.acquire();
    co_await block(w, depth + 1);
}

task<> uses_event(world& w, int) {
    switch (w.in.below(5)) {
    case 0:
    case 1: co_await w.event->wait(); break;
    case 2: w.event->set(); break;
    case 3: w.event->clear(); break;
    default: w.event = std::make_unique<corun::event>(); break;   // who waits for the old one is told
    }
}

task<> uses_queue(world& w, int) {
    switch (w.in.below(6)) {
    case 0:
    case 1: co_await w.queue.put(std::string(20, 'p')); break;
    case 2: {
        const auto item = co_await w.queue.get();
        break;
    }
    case 3:
        if (!w.queue.is_shut_down())
            (void)w.queue.try_put("t");
        break;
    case 4: (void)w.queue.try_get(); break;
    default:
        if (w.in.one_in(4))
            w.queue.shutdown(w.in.below(2) != 0);
    }
}

task<> uses_condition(world& w, int) {
    auto held = co_await w.mutexes[0].lock();
    switch (w.in.below(3)) {
    case 0: co_await w.condition.wait(); break;
    case 1: w.condition.notify(); break;
    default: w.condition.notify_all();
    }
    if (w.in.below(2))
        co_await yield();
}

task<> uses_barrier(world& w, int) {
    switch (w.in.below(4)) {
    case 0:
    case 1: (void)co_await w.barrier.wait(); break;
    case 2: co_await w.barrier.reset(); break;
    default: co_await w.barrier.abort();
    }
}

task<> spawns(world& w, int depth) {
    if (w.tasks.size() < 12)
        w.tasks.push_back(spawn(block(w, depth + 1)));
    co_return;
}

task<> asks_to_end(world& w, int) {
    if (task_handle<>* const t = any_task(w)) {
        if (w.in.one_in(4))
            (void)t->uncancel();
        else
            (void)t->cancel();
    }
    co_return;
}

task<> waits_for_task(world& w, int) {
    auto t = younger_task(w);
    if (!t)
        co_return;
    switch (w.in.below(3)) {
    case 0: co_await *t; break;
    case 1: co_await shield(*t); break;
    default: {
        auto bounded = wait(*t).within(short_time(w, 4));
        (void)co_await std::move(bounded);
    }
    }
}

task<> drops_task(world& w, int) {
    if (task_handle<>* const t = any_task(w)) {
        const auto dropped = std::exchange(*t, w.tasks.back());
        w.tasks.pop_back();
        if (w.in.below(2))
            (void)dropped.cancel();
    }
    co_return;
}

task<> groups(world& w, int depth) {
    const auto body = [&w, depth](task_group& g) -> task<> {
        for (unsigned n = w.in.below(4); n > 0; --n)
            (void)g.spawn(block(w, depth + 1));
        const auto end = co_await settled(block(w, depth + 1));
        if (w.in.one_in(6))
            (void)g.cancel();
        end.rethrow();
    };
    co_await with_task_group(body);
}

task<> bounds(world& w, int depth) {
    if (w.in.below(3)) {
        co_await timeout(short_time(w, 4), block(w, depth + 1));
        co_return;
    }
    timeout_scope scope(short_time(w, 4) + std::chrono::milliseconds(1));
    const auto inner = [&]() -> task<> {
        co_await block(w, depth + 1);
        if (!scope.is_expired())
            scope.reschedule_after(short_time(w, 3));
        co_await block(w, depth + 1);
    };
    co_await scope.run(inner());
}

task<> combines(world& w, int depth) {
    switch (w.in.below(4)) {
    case 0: (void)co_await gather(block(w, depth + 1), block(w, depth + 1)); break;
    case 1: (void)co_await race(block(w, depth + 1), block(w, depth + 1)); break;
    case 2: co_await finally(block(w, depth + 1), block(w, depth + 1)); break;
    default: (void)co_await settled(block(w, depth + 1));
    }
}

std::optional<resolver<int>> last_resolver(world& w) {
    if (w.resolvers.empty())
        return std::nullopt;
    std::optional<resolver<int>> last(std::move(w.resolvers.back()));
    w.resolvers.pop_back();
    return last;
}

task<> waits_for_callback(world& w, int) {
    const unsigned how = w.in.below(8);
    const auto begin = [&w, how](resolver<int> r) {
        if (how & 1) {
            r.on_cancel([&w] {
                if (auto last = last_resolver(w))
                    last->set_cancelled();
            });
        }
        if (how & 2)
            r.detach_on_cancel();
        if (how & 4)
            r.set_value(1);
        else if (w.resolvers.size() < 12)   // else it goes unanswered
            w.resolvers.push_back(std::move(r));
    };
    (void)co_await from_callback<int>(begin);
}

task<> calls_back(world& w, int) {
    auto r = last_resolver(w);
    if (!r)
        co_return;
    switch (w.in.below(4)) {
    case 0: r->set_value(3); break;
    case 1: r->set_error(std::make_exception_ptr(planned_error())); break;
    case 2: r->set_error(std::make_error_code(std::errc::operation_canceled)); break;
    default: break;
    }
}

task<> uses_thread(world& w, int) {
    const auto call = [] { return 1; };
    if (w.in.below(2))
        (void)co_await to_thread(call);
    else
        (void)co_await abandon(to_thread(call));
}

task<> schedules(world& w, int) {
    const auto call = [&w] {
        switch (w.in.below(4)) {
        case 0: w.event->set(); break;
        case 1:
            if (task_handle<>* const t = any_task(w))
                (void)t->cancel();
            break;
        case 2: throw planned_error();
        default:
            if (!w.callbacks.empty())
                (void)w.callbacks.back().cancel();
        }
    };
    loop& here = loop::current();
    switch (w.in.below(5)) {
    case 0: w.callbacks.push_back(here.call_soon(call)); break;
    case 1: w.callbacks.push_back(here.call_after(short_time(w, 4), call)); break;
    case 2: here.post(call); break;
    case 3:
        if (task_handle<>* const t = any_task(w))
            w.callbacks.push_back(t->on_done(call));
        break;
    default:
        if (!w.callbacks.empty()) {
            (void)w.callbacks.back().cancel();
            w.callbacks.pop_back();
        }
    }
    co_return;
}

task<> generates(world& w, int depth) {
    const unsigned how = w.in.below(3);
    if (how == 0 && w.generators.size() < 4)
        w.generators.push_back(std::make_unique<generator<int>>(values(w, depth + 1)));
    if (w.generators.empty())
        co_return;
    generator<int>& g = *w.generators[w.in.below(static_cast<unsigned>(w.generators.size()))];
    if (how == 2)
        co_await g.close();
    else
        (void)co_await g.next();
}

task<> uses_channel(world& w, int) {
    if (!w.receiver) {
        auto [out, in] = make_channel<std::string>(w.in.below(3));
        w.sender.emplace(std::move(out));
        w.receiver.emplace(std::move(in));
    }
    const unsigned how = w.in.below(8);
    if (how == 0) {
        w.sender.reset();
    } else if (how < 4 && w.sender) {
        auto mine = *w.sender;
        co_await mine.send("c");
    } else {
        (void)co_await w.receiver->receive();
    }
}

task<> connects(world& w, int) {
    if (!w.listener)
        w.listener.emplace(tcp_listener::bind(address::loopback()));
    std::optional<tcp_stream> stream;
    if (w.in.below(2))
        stream = co_await w.listener->accept();
    else
        stream = co_await connect(w.listener->local_address());
    if (w.streams.size() < 10)
        w.streams.push_back(std::make_unique<tcp_stream>(std::move(*stream)));
}

task<> uses_stream(world& w, int) {
    tcp_stream* const s = any_stream(w);
    if (!s)
        co_return;
    std::array<std::byte, 300> buffer{};
    const std::size_t size = w.in.below(300);
    switch (w.in.below(10)) {
    case 0:
    case 1:
    case 2: (void)co_await s->read(bytes(buffer).first(size)); break;
    case 3:
    case 4:
    case 5: (void)co_await s->write(const_bytes(buffer).first(size)); break;
    case 6: s->close(); break;
    case 7: co_await s->shutdown(); break;
    case 8:
        s->set_reset_on_close(true);
        s->close();
        break;
    default: co_await s->readable();
    }
}

using move = task<> (*)(world&, int);

constexpr move all_moves[] = {passes_time,  fails,    locks,       takes_permit, uses_event,     uses_queue, uses_condition,
                              uses_barrier, spawns,   spawns,      asks_to_end,  waits_for_task, drops_task, groups,
                              bounds,       combines, calls_back,  uses_thread,  schedules,      generates,  waits_for_callback,
                              uses_channel, connects, uses_stream, uses_stream};

task<> one_move(world& w, int depth) {
    if (--w.moves_left < 0)
        co_return;
    const move chosen = all_moves[w.in.below(static_cast<unsigned>(std::size(all_moves)))];
    co_await chosen(w, depth);
}

}

task<> block(world& w, int depth) {
    if (depth > deepest) {
        co_await yield();
        co_return;
    }
    for (unsigned n = w.in.below(5); n > 0 && w.moves_left > 0; --n) {
        if (!w.in.one_in(3)) {
            co_await one_move(w, depth);
            continue;
        }
        const auto left = co_await settled(one_move(w, depth));
        if (left.is_cancelled() && w.in.below(2))
            throw cancelled{};
    }
}

}
