// world.hpp - what a running program consists of: ends of connections, tasks that others name, and who does what.
#pragma once

#include "interpreter.hpp"
#include "program.hpp"

#include <corun/corun.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace differential {

/// One end of a connection.
struct endpoint {
    corun::tcp_stream stream;
    std::int64_t sent = 0;
    std::int64_t received = 0;
    std::int64_t cut = 0;   // bytes that sends were to send and, cut short, did not
    bool half_closed = false;
    bool reset_told = false;
};

/// A spawned task that others name.
struct slot {
    corun::event made;
    corun::event begun;
    std::optional<corun::task_handle<>> task;
};

/// Who executes: an actor, or a task that it began. Its sequence is its own.
struct performer {
    explicit performer(std::string n) : name(std::move(n)) {}

    std::string name;
    std::vector<std::string> lines;
    int groups = 0;
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

    corun::task<> main();
    void fault(const std::string& what) { main_.lines.push_back("fault: " + what); }
    std::string outcome() const;

private:
    endpoint& end_of(int e) { return ends_[static_cast<std::size_t>(e)]; }
    endpoint& peer_of(int e) { return end_of(e ^ 1); }
    slot& slot_of(const statement& s) { return slots_[static_cast<std::size_t>(s.slot)]; }
    performer& new_performer(const std::string& name);
    static void log(performer& who, std::string line) { who.lines.push_back(std::move(line)); }

    corun::task<> connect_in_turn(corun::tcp_listener& at);
    corun::task<> connect_at_once(corun::tcp_listener& at);
    corun::task<> accept_first(corun::tcp_listener& at);
    corun::task<> set_up();
    corun::task<> clear_up();
    corun::task<> watch(corun::task_handle<> actors);
    corun::task<> run_actors();
    corun::task<> actor(int number);

    corun::task<> pause();
    corun::task<> execute(performer& who, const block& b);
    corun::task<> step(performer& who, const statement& s);
    corun::task<> child(performer& who, const statement& s);
    corun::task<> member(performer& who, const block& b);
    corun::task<> send(performer& who, const statement& s);
    corun::task<> send_until_lost(performer& who, const statement& s);
    corun::task<std::string> receive_until(const statement& s, std::int64_t target);
    corun::task<> receive(performer& who, const statement& s);
    corun::task<> receive_exactly(performer& who, const statement& s);
    corun::task<> half_close(performer& who, const statement& s);
    corun::task<> close(performer& who, const statement& s);
    corun::task<> refused(performer& who);
    corun::task<> scope(performer& who, const statement& s);
    corun::task<> cancel(const statement& s);
    corun::task<> join(performer& who, const statement& s);
    corun::task<> group_body(performer& who, const statement& s, corun::task_group& g);
    corun::task<> group(performer& who, const statement& s);
    corun::task<> clean_up(performer& who, const statement& s);
    std::string text_of_send(endpoint& e, const std::error_code& error);

    const program& program_;
    const manner& manner_;
    std::deque<endpoint> ends_;
    std::deque<corun::event> events_;
    std::deque<slot> slots_;
    std::map<std::string, performer> performers_;
    performer main_{"main"};
    std::vector<corun::task_handle<>> actors_;
};

}
