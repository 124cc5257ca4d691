// interpreter.cpp - a statement is a few lines of corun; what it came to is a line of the outcome.
#include "interpreter.hpp"

#include "names.hpp"
#include "world.hpp"

#include <chrono>
#include <cstdio>
#include <utility>

namespace differential {

using namespace corun;
using std::chrono::milliseconds;

performer& world::new_performer(const std::string& name) { return performers_.emplace(name, name).first->second; }

task<> world::pause() {
    if (!manner_.pause)
        co_return;
    const duration d = manner_.pause();
    if (d > duration::zero())
        co_await sleep_for(d);
}

task<> world::actor(int number) {
    performer& me = new_performer("actor " + std::to_string(number));
    const block& statements = program_.actors[static_cast<std::size_t>(number)];
    const auto all = [&]() -> task<> {
        for (const statement& s : statements) {
            co_await pause();
            const auto left = co_await settled(step(me, s));   // an error has been logged
            if (left.is_cancelled())
                throw cancelled{};
        }
    };
    const auto left = co_await settled(all());
    log(me, "end: " + name_of(left));
}

task<> world::execute(performer& who, const block& b) {
    for (const statement& s : b)
        co_await step(who, s);
}

task<> world::step(performer& who, const statement& s) {
    if (s.slot >= 0 && s.what != verb::spawn) {
        co_await slot_of(s).made.wait();
        if (s.when_begun)
            co_await slot_of(s).begun.wait();
    }
    switch (s.what) {
    case verb::send:
    case verb::send_uncounted:
    case verb::send_shrunk: co_await send(who, s); break;
    case verb::send_until_lost: co_await send_until_lost(who, s); break;
    case verb::receive:
    case verb::receive_end: co_await receive(who, s); break;
    case verb::exactly: co_await receive_exactly(who, s); break;
    case verb::half_close: co_await half_close(who, s); break;
    case verb::close:
    case verb::reset: co_await close(who, s); break;
    case verb::refused: co_await refused(who); break;
    case verb::set: events_[static_cast<std::size_t>(s.number)].set(); break;
    case verb::wait: co_await events_[static_cast<std::size_t>(s.number)].wait(); break;
    case verb::timeout: co_await scope(who, s); break;
    case verb::spawn:
        slot_of(s).task = spawn(child(new_performer(who.name + ", t" + std::to_string(s.slot)), s));
        slot_of(s).made.set();
        break;
    case verb::cancel: co_await cancel(s); break;
    case verb::join:
    case verb::join_shielded: co_await join(who, s); break;
    case verb::cancel_actor: actors_[static_cast<std::size_t>(s.number)].cancel(); break;
    case verb::group: co_await group(who, s); break;
    case verb::fail: throw thrown{s.number};
    case verb::finally: co_await clean_up(who, s); break;
    }
}

/// From `begun` on it stands in its first await, for everybody else: nothing suspends in between.
task<> world::child(performer& who, const statement& s) {
    slot_of(s).begun.set();
    co_await execute(who, s.blocks[0]);
}

task<> world::member(performer& who, const block& b) { co_await execute(who, b); }

task<> world::scope(performer& who, const statement& s) {
    const auto left = co_await settled(timeout(milliseconds(s.number), execute(who, s.blocks[0])));
    if (left.is_cancelled())
        throw cancelled{};
    log(who, "timeout: " + name_of(left));
}

task<> world::cancel(const statement& s) {
    for (int i = 0; i < s.number; ++i)
        co_await yield();
    slot_of(s).task->cancel();
}

task<> world::join(performer& who, const statement& s) {
    const task_handle<> target = *slot_of(s).task;
    corun::outcome<void> left;
    if (s.what == verb::join_shielded)
        left = co_await settled(timeout(milliseconds(s.number), shield(target)));
    else
        left = co_await settled(target);
    if (left.is_cancelled())
        throw cancelled{};
    log(who, "join t" + std::to_string(s.slot) + ": " + name_of(left));
}

task<> world::group_body(performer& who, const statement& s, task_group& g) {
    const std::string name = who.name + ", g" + std::to_string(++who.groups) + ".";
    for (std::size_t i = 1; i < s.blocks.size(); ++i)
        g.spawn(member(new_performer(name + std::to_string(i)), s.blocks[i]));
    co_await execute(who, s.blocks[0]);
}

task<> world::group(performer& who, const statement& s) {
    const auto body = [this, &who, &s](task_group& g) { return group_body(who, s, g); };
    const auto left = co_await settled(with_task_group(body));
    if (left.is_cancelled())
        throw cancelled{};
    log(who, "group: " + name_of(left));
}

task<> world::clean_up(performer& who, const statement& s) {
    const auto left = co_await settled(execute(who, s.blocks[0]));
    log(who, "finally: " + name_of(left));
    co_await execute(who, s.blocks[1]);
    left.rethrow();
}

task<> world::run_actors() {
    co_await set_up();
    for (int i = 0; i < static_cast<int>(program_.actors.size()); ++i)
        actors_.push_back(spawn(actor(i)));
    co_await wait(actors_);
}

/// Never more than a guard against a run that hangs.
task<> world::watch(task_handle<> actors) {
    co_await sleep_for(manner_.bound);
    fault("it hangs");
    std::fprintf(stderr, "%s", dump_tasks(loop::current()).c_str());
    actors.cancel();
    for (task_handle<>& one : actors_)
        one.cancel();
}

task<> world::main() {
    auto acting = spawn(run_actors());
    std::optional<task_handle<>> watching;
    if (manner_.bound > duration::zero())
        watching = spawn(watch(acting));
    co_await wait(acting);
    if (watching) {
        watching->cancel();
        co_await wait(*watching);
    }
    if (acting.is_cancelled() || acting.error())
        log(main_, "end: " + (acting.is_cancelled() ? std::string("cancelled") : name_of(acting.error())));
    co_await clear_up();
}

std::string world::outcome() const {
    std::string text;
    const auto print = [&text](const performer& who) {
        if (!who.lines.empty())
            text += who.name + "\n";
        for (const std::string& line : who.lines)
            text += (line.starts_with("fault") ? "" : "    ") + line + "\n";
    };
    print(main_);
    for (const auto& one : performers_)
        print(one.second);
    for (std::size_t e = 0; e < ends_.size(); ++e)
        if (ends_[e].sent + ends_[e].cut > 0)   // of a send that was cut before its first byte, too
            text += "from " + std::to_string(e) + ": " + std::to_string(ends_[e].sent + ends_[e].cut) + " sent, " +
                    std::to_string(ends_[e ^ 1].received + ends_[e].cut) + " received\n";
    return text;
}

std::string run_program(const program& p, corun::run_options options, const manner& how) {
    world w(p, how);
    const auto on_exception = [&w](const exception_report& r) { w.fault(std::string(r.message) + ": " + name_of(r.error)); };
    try {
        run(std::move(options).handle_interrupts(false).on_exception(on_exception), [&w] { return w.main(); });
    } catch (const deadlock& e) {
        w.fault(std::string("deadlock\n") + e.what());
    } catch (...) {
        w.fault("left main: " + name_of(std::current_exception()));
    }
    return w.outcome();
}

}
