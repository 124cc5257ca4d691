// interpreter.cpp - a statement of the oracle's language is a few lines of corun.
#include "interpreter.hpp"

#include <corun/corun.hpp>
#include <corun/sim.hpp>

#include <chrono>
#include <deque>
#include <exception>
#include <string>
#include <vector>

namespace oracle {
namespace {

using namespace corun;
using std::chrono::milliseconds;

struct thrown {
    int number;
};

std::string name_of(const std::exception_ptr& e) {
    try {
        std::rethrow_exception(e);
    } catch (const cancelled&) {
        return "cancelled";
    } catch (const timed_out&) {
        return "timed_out";
    } catch (const task_cancelled&) {
        return "task_cancelled";
    } catch (const thrown& t) {
        return "E" + std::to_string(t.number);
    } catch (const exception_group& g) {
        std::string names;
        for (const std::exception_ptr& inner : g.exceptions())
            names += (names.empty() ? "" : ",") + name_of(inner);
        return "group[" + names + "]";
    } catch (const std::exception& other) {
        return std::string("unexpected: ") + other.what();
    }
}

template <class T>
std::string name_of(const outcome<T>& left) {
    if (left.has_value())
        return "ok";
    return left.is_cancelled() ? "cancelled" : name_of(left.error());
}

/// One program at work.
class world {
public:
    explicit world(const program& p) : program_(p) {}
    world(const world&) = delete;
    ~world() {
        for (const task_handle<>& t : tasks_)
            (void)t.error();   // looked at: a failure nobody awaits is part of the program
    }

    std::string run();

private:
    void log(const char* verb, const std::string& rest) {
        if (closed_)
            return;
        const auto ms = std::chrono::duration_cast<milliseconds>(runner_.current_loop()->time().time_since_epoch()).count();
        trace_ += (trace_.empty() ? "[" : ",[") + std::to_string(ms) + ",\"" + verb + "\"," + rest + "]";
    }
    void log(const char* verb, int actor) { log(verb, std::to_string(actor)); }
    void log(const char* verb, int actor, int number) { log(verb, std::to_string(actor) + "," + std::to_string(number)); }
    void log(const char* verb, int actor, const std::string& text) { log(verb, std::to_string(actor) + ",\"" + text + "\""); }
    void log(const char* verb, int actor, bool yes) { log(verb, std::to_string(actor) + (yes ? ",true" : ",false")); }

    template <class Spawn>
    void start(const block& b, Spawn spawn_it);
    int pick(int index, int first = 0) const;
    task_handle<> task_of(int number) const { return tasks_[static_cast<std::size_t>(number - 1)]; }

    task<> actor(int number, const block& b);
    task<> execute(int me, const block& b);
    task<> step(int me, const statement& s);

    task<> cancel(int me, const statement& s);
    task<> wait_for_task(int me, const statement& s);
    task<> join(int me, const statement& s);
    task<> group(int me, const statement& s);
    task<> group_body(int me, const statement& s, task_group& g);
    task<> scope(int me, const statement& s);
    task<> catch_errors(int me, const statement& s);
    task<> swallow(int me, const statement& s);
    task<> clean_up(int me, const statement& s);
    task<> hold_lock(int me, const statement& s);
    task<> hold_permit(int me, const statement& s);
    task<> holding(int me, const statement& s, const char* which);
    task<> put(int me);
    task<> get(int me, const statement& s);
    task<> wait_for_event(int me, const statement& s);
    task<> wait_for_condition(int me, const statement& s);
    task<> notify(int me, const statement& s);

    const program& program_;
    runner runner_{run_options()
                       .with(make_sim())
                       .on_exception([this](const exception_report& r) { on_exception(r); })
                       .on_leftovers([this](const std::vector<task_ref>& left) { on_leftovers(left.size()); })};
    void on_exception(const exception_report& r);
    void on_leftovers(std::size_t count);

    std::string trace_;
    std::deque<task_handle<>> tasks_;
    event event_;
    mutex mutex_;
    semaphore semaphore_{2};
    queue<int> queue_{2};
    mutex condition_mutex_;
    condition condition_{condition_mutex_};
    bool main_ended_ = false;
    bool closed_ = false;
};

/// True if it came in time; throws what else left it.
template <class T>
bool in_time(const outcome<T>& left) {
    if (left.template threw<timed_out>())
        return false;
    left.rethrow();
    return true;
}

void world::on_leftovers(std::size_t count) {
    if (!main_ended_) {
        log("deadlock", 0);
        closed_ = true;
    }
    log("leftovers", 0, static_cast<int>(count));
}

/// Tasks that do not stop though nothing more can come: a deadlock in shut down.
void world::on_exception(const exception_report& r) {
    if (r.message.starts_with("a task did not stop")) {
        log("deadlock", 0);
        closed_ = true;
    }
}

template <class Spawn>
void world::start(const block& b, Spawn spawn_it) {
    const int number = static_cast<int>(tasks_.size()) + 1;
    tasks_.push_back(spawn_it(actor(number, b)));
    log("spawn", number);
}

/// The index wraps round tasks first + 1 ..; 0 if there is none.
int world::pick(int index, int first) const {
    const int count = static_cast<int>(tasks_.size());
    return count > first ? first + index % (count - first) + 1 : 0;
}

task<> world::actor(int number, const block& b) {
    log("start", number);
    const auto left = co_await settled(execute(number, b));
    log("end", number, name_of(left));
    left.rethrow();
}

task<> world::execute(int me, const block& b) {
    for (const statement& s : b)
        co_await step(me, s);
}

task<> world::step(int me, const statement& s) {
    switch (s.what) {
    case verb::sleep: {
        co_await sleep_for(milliseconds(s.number));
        log("woke", me);
        break;
    }
    case verb::mark: log("mark", me); break;
    case verb::spawn: start(s.body, [](task<> t) { return spawn(std::move(t)); }); break;
    case verb::cancel: co_await cancel(me, s); break;
    case verb::wait: co_await wait_for_task(me, s); break;
    case verb::await:
    case verb::shield: co_await join(me, s); break;
    case verb::group: co_await group(me, s); break;
    case verb::timeout: co_await scope(me, s); break;
    case verb::throw_error: throw thrown{s.number};
    case verb::catch_errors: co_await catch_errors(me, s); break;
    case verb::swallow: co_await swallow(me, s); break;
    case verb::finally: co_await clean_up(me, s); break;
    case verb::event_set:
        event_.set();
        event_.clear();
        log("set", me);
        break;
    case verb::event_wait: co_await wait_for_event(me, s); break;
    case verb::lock: co_await hold_lock(me, s); break;
    case verb::semaphore: co_await hold_permit(me, s); break;
    case verb::put: co_await put(me); break;
    case verb::get: co_await get(me, s); break;
    case verb::condition_wait: co_await wait_for_condition(me, s); break;
    case verb::notify: co_await notify(me, s); break;
    }
}

task<> world::cancel(int me, const statement& s) {
    if (const int number = pick(s.number)) {
        const bool asked = task_of(number).cancel();
        log("cancel", std::to_string(me) + "," + std::to_string(number) + (asked ? ",true" : ",false"));
    }
    co_return;
}

task<> world::wait_for_task(int me, const statement& s) {
    const int number = pick(s.number);
    if (number == 0 || task_of(number) == this_task::handle())
        co_return;
    const std::vector<task_ref> one{task_of(number)};
    const wait_result waited = co_await wait(one).within(milliseconds(10));
    log("waited", std::to_string(me) + "," + std::to_string(number) + "," + std::to_string(waited.done.size()));
}

task<> world::join(int me, const statement& s) {
    const int number = pick(s.number, me);
    if (number == 0)
        co_return;
    const task_handle<> target = task_of(number);
    outcome<void> left;
    if (s.what == verb::shield)
        left = co_await settled(timeout(milliseconds(6), shield(target)));
    else
        left = co_await settled(timeout(milliseconds(6), target));
    if (left.is_cancelled())
        throw cancelled{};
    log("joined", std::to_string(me) + "," + std::to_string(number) + ",\"" + name_of(left) + "\"");
}

task<> world::group_body(int me, const statement& s, task_group& g) {
    for (const block& child : s.bodies)
        start(child, [&g](task<> t) { return g.spawn(std::move(t)); });
    co_await execute(me, s.body);
}

task<> world::group(int me, const statement& s) {
    const auto body = [this, me, &s](task_group& g) { return group_body(me, s, g); };
    const auto left = co_await settled(with_task_group(body));
    log("group", me, name_of(left));
    left.rethrow();
}

task<> world::scope(int me, const statement& s) {
    const auto left = co_await settled(timeout(milliseconds(s.number), execute(me, s.body)));
    log("timeout", me, name_of(left));
    left.rethrow();
}

task<> world::catch_errors(int me, const statement& s) {
    const auto left = co_await settled(execute(me, s.body));
    if (left.is_cancelled())
        throw cancelled{};
    if (left.is_error())
        log("caught", me, name_of(left));
}

task<> world::swallow(int me, const statement& s) {
    const auto left = co_await settled(execute(me, s.body));
    if (!left.has_value())
        log("swallowed", std::to_string(me) + ",\"" + name_of(left) + "\"," + std::to_string(this_task::handle().cancelling()));
}

task<> world::clean_up(int me, const statement& s) {
    const auto left = co_await settled(execute(me, s.body));
    log("finally", me);
    co_await execute(me, s.second);
    left.rethrow();
}

task<> world::holding(int me, const statement& s, const char* which) {
    log("acquired", me, std::string(which));
    co_await execute(me, s.body);
}

task<> world::hold_lock(int me, const statement& s) {
    auto guard = co_await settled(timeout(milliseconds(s.number), mutex_.lock()));
    if (!in_time(guard)) {
        log("gave_up", me, std::string("lock"));
        co_return;
    }
    const auto left = co_await settled(holding(me, s, "lock"));
    guard.value().unlock();
    log("released", me, std::string("lock"));
    left.rethrow();
}

task<> world::hold_permit(int me, const statement& s) {
    auto permit = co_await settled(timeout(milliseconds(s.number), semaphore_.acquire()));
    if (!in_time(permit)) {
        log("gave_up", me, std::string("semaphore"));
        co_return;
    }
    const auto left = co_await settled(holding(me, s, "semaphore"));
    permit.value().release();
    log("released", me, std::string("semaphore"));
    left.rethrow();
}

task<> world::put(int me) {
    const auto left = co_await settled(timeout(milliseconds(4), queue_.put(me)));
    log("put", me, in_time(left));
}

task<> world::get(int me, const statement& s) {
    auto left = co_await settled(timeout(milliseconds(s.number), queue_.get()));
    const bool came = in_time(left);
    log("got", me, came ? left.value() : 0);
}

task<> world::wait_for_event(int me, const statement& s) {
    const auto left = co_await settled(timeout(milliseconds(s.number), event_.wait()));
    log("event", me, in_time(left));
}

task<> world::wait_for_condition(int me, const statement& s) {
    auto guard = co_await settled(timeout(milliseconds(9), condition_mutex_.lock()));
    if (!in_time(guard))
        co_return;
    const auto left = co_await settled(timeout(milliseconds(s.number), condition_.wait()));
    log("condition", me, in_time(left));
}

task<> world::notify(int me, const statement& s) {
    auto guard = co_await settled(timeout(milliseconds(9), condition_mutex_.lock()));
    if (!in_time(guard))
        co_return;
    condition_.notify();
    log("notified", me);
    if (s.number > 0)
        co_await sleep_for(milliseconds(s.number));
}

std::string world::run() {
    std::string how = "ok";
    try {
        runner_.run([this]() -> task<> { co_await timeout(std::chrono::seconds(1), execute(0, program_.main)); });
    } catch (const deadlock&) {
        return "[" + trace_ + "]";
    } catch (...) {
        how = name_of(std::current_exception());
    }
    main_ended_ = true;
    log("main", 0, how);
    runner_.close();
    return "[" + trace_ + "]";
}

}

std::string run_program(const program& p) { return world(p).run(); }

}
