// set_up.cpp - a program's connections, made in one of several ways, and the end at which nothing may be left.
#include "world.hpp"

#include "names.hpp"

#include <support/connected_pair.hpp>

#include <chrono>
#include <functional>
#include <utility>

namespace differential {

using namespace corun;
using std::chrono::milliseconds;

namespace {

task<tcp_stream> connects(address to) {
    auto stream = co_await corun::connect(to);
    co_return stream;
}

task<tcp_stream> accepts(tcp_listener& at) {
    auto stream = co_await at.accept();
    co_return stream;
}

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

}
