// texts_test.cpp - what errors, exceptions and waits call themselves.
#include <corun/corun.hpp>
#include <support/catch.hpp>

#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace corun;
using namespace std::chrono_literals;

namespace {

/// What a dump says that the task of `waits` waits for.
std::string waits_for(std::function<task<>()> waits) {
    std::string found;
    run([&]() -> task<> {
        auto waiting = spawn(waits);
        waiting.set_name("waiting");
        co_await yield();
        for (const task_info& t : task_tree(loop::current()))
            if (t.name == "waiting")
                found = t.waits_for;
        waiting.cancel();
        (void)co_await settled(std::move(waiting));
    });
    return found;
}

}

TEST_CASE("each misuse has its name") {
    const std::vector<std::pair<errc, std::string_view>> names = {{errc::nested_run, "nested_run"},
                                                                  {errc::wrong_thread, "wrong_thread"},
                                                                  {errc::foreign_loop, "foreign_loop"},
                                                                  {errc::closed_loop, "closed_loop"},
                                                                  {errc::group_not_active, "group_not_active"},
                                                                  {errc::self_await, "self_await"},
                                                                  {errc::already_set, "already_set"},
                                                                  {errc::not_locked, "not_locked"},
                                                                  {errc::busy, "busy"},
                                                                  {errc::no_running_loop, "no_running_loop"},
                                                                  {errc::no_running_task, "no_running_task"},
                                                                  {errc::already_awaited, "already_awaited"},
                                                                  {errc::empty_handle, "empty_handle"},
                                                                  {errc::not_done, "not_done"},
                                                                  {errc::invalid_argument, "invalid_argument"},
                                                                  {errc::no_default_backend, "no_default_backend"},
                                                                  {errc::no_value, "no_value"},
                                                                  {errc::too_many_calls, "too_many_calls"}};
    for (const auto& [code, name] : names)
        CHECK(to_string(code) == name);
    CHECK(to_string(static_cast<errc>(200)) == "unknown");
}

TEST_CASE("each exception says what has happened") {
    const auto text = [](const std::exception& e) { return std::string(e.what()); };
    CHECK(text(task_cancelled()) == "corun: the task that was joined had been cancelled");
    CHECK(text(timed_out()) == "corun: timed out");
    CHECK(text(interrupted(2)) == "corun: interrupted by a signal");
    CHECK(text(broken_callback()).find("without an answer") != std::string::npos);
    CHECK(text(broken_barrier()).find("the barrier was broken") != std::string::npos);
    CHECK(text(end_of_stream(1, 2)).find("before all bytes had come") != std::string::npos);
    CHECK(text(channel_closed(channel_closed::reason::receiver_gone)).find("receiver") != std::string::npos);
    CHECK(text(channel_closed(channel_closed::reason::sender_closed)).find("sender was closed") != std::string::npos);
    CHECK(text(queue_shut_down()).find("queue") != std::string::npos);
}

TEST_CASE("a dump names what a task waits for") {
    mutex m;
    condition changed(m);
    queue<int> items;
    queue<int> full(1);
    const auto gets = [&]() -> task<> { (void)co_await items.get(); };
    CHECK(waits_for(gets) == "an item of a queue");
    const auto puts = [&]() -> task<> { co_await full.put(2); };
    CHECK(full.try_put(1));
    CHECK(waits_for(puts) == "room in a queue");
    const auto waits = [&]() -> task<> {
        auto held = co_await m.lock();
        co_await changed.wait();
    };
    CHECK(waits_for(waits) == "condition");
    const auto accepts = []() -> task<> {
        auto listener = tcp_listener::bind(address::loopback(0));
        (void)co_await listener.accept();
    };
    CHECK(waits_for(accepts) == "accept");
    const auto connects = []() -> task<> {
        auto listener = tcp_listener::bind(address::loopback(0));
        (void)co_await connect(listener.local_address());
    };
    CHECK(waits_for(connects) == "connect");
}
