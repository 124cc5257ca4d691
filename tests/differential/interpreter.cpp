// interpreter.cpp - a statement is a few lines of corun; what it came to is a line of the outcome.
#include "interpreter.hpp"

#include "names.hpp"
#include "pattern.hpp"

#include <corun/corun.hpp>
#include <support/connected_pair.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace differential {
namespace {

using namespace corun;
using std::chrono::milliseconds;

/// One end of a connection.
struct endpoint {
    tcp_stream stream;
    std::int64_t sent = 0;
    std::int64_t received = 0;
    std::int64_t cut = 0;   // bytes that sends were to send and, cut short, did not
    bool half_closed = false;
    bool reset_told = false;
};

/// A spawned task that others name.
struct slot {
    event made;
    event begun;
    std::optional<task_handle<>> task;
};

/// Who executes: an actor, or a task that it began. Its sequence is its own.
struct performer {
    explicit performer(std::string n) : name(std::move(n)) {}

    std::string name;
    std::vector<std::string> lines;
    int groups = 0;
};

/// Counts what a send that ends before its time leaves over.
class remainder {
public:
    remainder(endpoint& e, std::int64_t count, bool counts) noexcept : left(count), end_(e), counts_(counts) {}
    remainder(const remainder&) = delete;
    ~remainder() { end_.cut += counts_ ? left : 0; }

    std::int64_t left;

private:
    endpoint& end_;
    bool counts_;
};

class world {
public:
    world(const program& p, const manner& how)
        : program_(p),
          manner_(how),
          ends_(static_cast<std::size_t>(2 * p.connections)),
          events_(static_cast<std::size_t>(p.events)),
          slots_(static_cast<std::size_t>(p.slots)) {}
    world(const world&) = delete;

    task<> main();
    void fault(const std::string& what) { main_.lines.push_back("fault: " + what); }
    std::string outcome() const;

private:
    endpoint& end_of(int e) { return ends_[static_cast<std::size_t>(e)]; }
    endpoint& peer_of(int e) { return end_of(e ^ 1); }
    slot& slot_of(const statement& s) { return slots_[static_cast<std::size_t>(s.slot)]; }
    performer& new_performer(const std::string& name);
    static void log(performer& who, std::string line) { who.lines.push_back(std::move(line)); }

    task<> connect_in_turn(tcp_listener& at);
    task<> connect_at_once(tcp_listener& at);
    task<> accept_first(tcp_listener& at);
    task<> set_up();
    task<> clear_up();
    task<> watch(task_handle<> actors);
    task<> run_actors();
    task<> actor(int number);

    task<> pause();
    task<> execute(performer& who, const block& b);
    task<> step(performer& who, const statement& s);
    task<> child(performer& who, const statement& s);
    task<> member(performer& who, const block& b);
    task<> send(performer& who, const statement& s);
    task<> send_until_lost(performer& who, const statement& s);
    task<std::string> receive_until(const statement& s, std::int64_t target);
    task<> receive(performer& who, const statement& s);
    task<> receive_exactly(performer& who, const statement& s);
    task<> half_close(performer& who, const statement& s);
    task<> close(performer& who, const statement& s);
    task<> refused(performer& who);
    task<> scope(performer& who, const statement& s);
    task<> cancel(const statement& s);
    task<> join(performer& who, const statement& s);
    task<> group_body(performer& who, const statement& s, task_group& g);
    task<> group(performer& who, const statement& s);
    task<> clean_up(performer& who, const statement& s);
    std::string text_of_send(endpoint& e, const std::error_code& error);

    const program& program_;
    const manner& manner_;
    std::deque<endpoint> ends_;
    std::deque<event> events_;
    std::deque<slot> slots_;
    std::map<std::string, performer> performers_;
    performer main_{"main"};
    std::vector<task_handle<>> actors_;
};

performer& world::new_performer(const std::string& name) { return performers_.emplace(name, name).first->second; }

task<tcp_stream> connects(address to) {
    auto stream = co_await corun::connect(to);
    co_return stream;
}

task<tcp_stream> accepts(tcp_listener& at) {
    auto stream = co_await at.accept();
    co_return stream;
}

task<> world::connect_in_turn(tcp_listener& at) {
    for (int c = 0; c < program_.connections; ++c) {
        if (end_of(2 * c).stream.is_open())
            continue;
        auto connecting = spawn(connects, at.local_address());
        end_of(2 * c + 1).stream = co_await at.accept();
        end_of(2 * c).stream = co_await std::move(connecting);
    }
}

/// Which is accepted first is open: their addresses tell which is which.
task<> world::connect_at_once(tcp_listener& at) {
    std::vector<task_handle<tcp_stream>> connecting;
    for (int c = 0; c < program_.connections; ++c)
        connecting.push_back(spawn(connects, at.local_address()));
    std::vector<tcp_stream> accepted;
    for (int c = 0; c < program_.connections; ++c) {
        address from;
        accepted.push_back(co_await at.accept(from));
        if (from != accepted.back().remote_address())
            fault("accept told another address than the stream");
    }
    for (int c = 0; c < program_.connections; ++c) {
        tcp_stream& ours = end_of(2 * c).stream;
        ours = co_await std::move(connecting[static_cast<std::size_t>(c)]);
        for (tcp_stream& one : accepted)
            if (one.is_open() && one.remote_address() == ours.local_address())
                end_of(2 * c + 1).stream = std::move(one);
        if (!end_of(2 * c + 1).stream.is_open())
            fault("a connection that nobody accepted");
    }
}

/// An accept that is cancelled, or takes too long. No connection is lost by it.
task<> world::accept_first(tcp_listener& at) {
    if (program_.begins == beginning::accept_takes_too_long) {
        const auto late = co_await settled(timeout(milliseconds(1), at.accept()));
        log(main_, "accept: " + name_of(late));
        co_return;
    }
    auto accepting = spawn(accepts, std::ref(at));
    if (program_.begins == beginning::accept_cancelled) {
        accepting.cancel();
        const auto left = co_await settled(std::move(accepting));
        log(main_, "accept: " + name_of(left));
        co_return;
    }
    auto connecting = spawn(connects, at.local_address());
    co_await pause();
    co_await yield();
    accepting.cancel();
    auto left = co_await settled(std::move(accepting));
    log(main_, "accept: " + name_of(left));
    if (left.has_value())
        end_of(1).stream = std::move(left).value();
    else
        end_of(1).stream = co_await at.accept();
    end_of(0).stream = co_await std::move(connecting);
}

task<> world::set_up() {
    auto listener = tcp_listener::bind(testing::loopback());
    if (program_.begins >= beginning::accept_cancelled)
        co_await accept_first(listener);
    if (program_.begins == beginning::at_once)
        co_await connect_at_once(listener);
    else
        co_await connect_in_turn(listener);
    if (program_.closes_listener) {
        event begun;
        const auto begins = [&]() -> task<> {
            begun.set();
            co_await listener.accept();
        };
        auto accepting = spawn(begins);
        co_await begun.wait();
        listener.close();
        const auto left = co_await settled(std::move(accepting));
        log(main_, "accept under close: " + name_of(left));
        const auto late = co_await settled(listener.accept());
        log(main_, "accept after close: " + name_of(late));
    }
}

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

/// A peer that has gone may be known by either error, and only to the next send. Which one it is is certain after our own half-close, and
/// once a reset has been told.
std::string world::text_of_send(endpoint& e, const std::error_code& error) {
    const bool is_certain = e.half_closed || e.reset_told;
    if (error != std::errc::connection_reset && error != std::errc::broken_pipe)
        return name_of(error);
    e.reset_told = e.reset_told || !e.half_closed;
    return is_certain ? name_of(error) : "the peer has gone";
}

task<> world::send(performer& who, const statement& s) {
    endpoint& e = end_of(s.end);
    if (s.what == verb::send_shrunk)
        e.stream.set_send_buffer_size(16 * 1024);
    const bool counts = s.what != verb::send_uncounted;
    std::int64_t uncounted = 0;
    std::int64_t& sent = counts ? e.sent : uncounted;
    const std::int64_t first = counts ? 0 : e.sent;
    remainder rest(e, s.number, counts);
    std::error_code error;
    while (rest.left > 0 && !error) {
        const std::size_t piece = static_cast<std::size_t>(s.size > 0 ? std::min<std::int64_t>(s.size, rest.left) : rest.left);
        const auto count = co_await as_result(e.stream.write(pattern(s.end, first + sent, piece)));
        error = count.error();
        if (count) {
            sent += static_cast<std::int64_t>(*count);
            rest.left -= static_cast<std::int64_t>(*count);
        }
    }
    log(who, "send at " + std::to_string(s.end) + " " + std::to_string(s.number) + ": " + text_of_send(e, error));
}

/// What it sends is not counted: nobody gets it. The news of that is on its way for as long as the system likes.
task<> world::send_until_lost(performer& who, const statement& s) {
    endpoint& e = end_of(s.end);
    std::error_code error;
    for (int i = 0; i < 2000 && !error; ++i) {
        const auto count = co_await as_result(e.stream.write(pattern(s.end, 0, 10)));
        error = count.error();
        if (i > 2)
            co_await sleep_for(std::chrono::microseconds(i * 10));
    }
    log(who, "send at " + std::to_string(s.end) + " until lost: " + text_of_send(e, error));
}

/// Reads until `target` bytes have come in all. A request finds every byte counted that was read.
task<std::string> world::receive_until(const statement& s, std::int64_t target) {
    endpoint& e = end_of(s.end);
    std::vector<std::byte> buffer(s.size > 0 ? static_cast<std::size_t>(s.size) : 65536);
    while (e.received < target) {
        const bytes room = bytes(buffer).first(std::min(buffer.size(), static_cast<std::size_t>(target - e.received)));
        std::size_t came = 0;
        std::error_code error;
        if (s.how == style::waits_first) {
            const auto readable = co_await as_result(e.stream.readable());
            error = readable.error();
        }
        if (!error) {
            const std::size_t half = s.how == style::two_buffers ? room.size() / 2 : 0;
            const std::array<bytes, 2> parts{room.first(half), room.subspan(half)};
            const auto count = co_await as_result(e.stream.read(std::span<const bytes>(parts)));
            error = count.error();
            if (count)
                came = *count;
        }
        if (error) {
            e.reset_told = e.reset_told || error == std::errc::connection_reset;
            co_return name_of(error);
        }
        if (came == 0)
            co_return "the end";
        if (const std::int64_t wrong = first_wrong(s.end ^ 1, e.received, room.first(came)); wrong >= 0)
            fault("a wrong byte at " + std::to_string(s.end) + ", after " + std::to_string(wrong));
        e.received += static_cast<std::int64_t>(came);
    }
    co_return "ok";
}

task<> world::receive(performer& who, const statement& s) {
    const bool to_the_end = s.what == verb::receive_end;
    const std::int64_t target = s.number - peer_of(s.end).cut;
    const std::string title =
        "receive at " + std::to_string(s.end) + (to_the_end ? " until the end" : " until " + std::to_string(s.number));
    auto left = co_await settled(receive_until(s, to_the_end ? std::int64_t(1) << 40 : target));   // [scalar]
    if (left.is_cancelled())
        throw cancelled{};
    std::string how = name_of(left);
    if (left.has_value())
        how = left.value();
    if (how != "ok")
        how += ", " + std::to_string(end_of(s.end).received + peer_of(s.end).cut) + " in all";
    log(who, title + ": " + how);
}

task<> world::receive_exactly(performer& who, const statement& s) {
    endpoint& e = end_of(s.end);
    std::vector<std::byte> buffer(static_cast<std::size_t>(s.number));
    const auto left = co_await settled(read_exactly(e.stream, buffer));
    if (left.is_cancelled())
        throw cancelled{};
    std::size_t came = left.has_value() ? buffer.size() : 0;
    try {
        left.rethrow();
    } catch (const end_of_stream& end) {
        came = end.received();
    } catch (...) {
    }
    if (const std::int64_t wrong = first_wrong(s.end ^ 1, e.received, const_bytes(buffer).first(came)); wrong >= 0)
        fault("a wrong byte at " + std::to_string(s.end) + ", after " + std::to_string(wrong));
    e.received += static_cast<std::int64_t>(came);
    log(who, "receive at " + std::to_string(s.end) + " exactly " + std::to_string(s.number) + ": " + name_of(left));
}

task<> world::half_close(performer& who, const statement& s) {
    endpoint& e = end_of(s.end);
    const auto done = co_await as_result(e.stream.shutdown());
    e.half_closed = e.half_closed || done;
    log(who, "half-close at " + std::to_string(s.end) + ": " + name_of(done.error()));
}

task<> world::close(performer& who, const statement& s) {
    endpoint& e = end_of(s.end);
    if (s.what == verb::reset)
        e.stream.set_reset_on_close(true);
    if (s.slot >= 0) {   // under a read: its task goes on before the descriptor is gone
        e.stream.close();
        log(who, "close at " + std::to_string(s.end));
        co_return;
    }
    const auto done = co_await as_result(e.stream.close(time_point::max()));
    log(who, (s.what == verb::reset ? "reset at " : "close at ") + std::to_string(s.end) + ": " + name_of(done.error()));
}

task<> world::refused(performer& who) {
    auto left = co_await settled(corun::connect(testing::closed_port()));
    if (left.is_cancelled())
        throw cancelled{};
    log(who, "connect: " + name_of(left));
    left.rethrow();
}

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

/// Closes what is open, and counts: nothing may be left.
task<> world::clear_up() {
    for (endpoint& e : ends_)
        if (e.stream.is_open())
            co_await e.stream.close(time_point::max());
    for (int i = 0; i < 4; ++i)
        co_await yield();
    const loop_counters left = loop::current().counters();
    if (left.tasks != 1 || left.pending_operations != 0 || left.armed_timers != 0 || left.open_handles != 0)
        fault("left: " + std::to_string(left.tasks - 1) + " tasks, " + std::to_string(left.pending_operations) + " operations, " +
              std::to_string(left.armed_timers) + " timers, " + std::to_string(left.open_handles) + " handles");
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
