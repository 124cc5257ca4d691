// local_copies_test.cpp - values of task_local outside of tasks: in callbacks, posts and calls on pool threads.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/usage.hpp>

#include <memory>
#include <new>
#include <string>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("TSK-33 a task_local at the address of one that has gone begins with its own value") {
    run([]() -> task<> {
        alignas(16) static unsigned char room[sizeof(task_local<std::string>)];
        auto* const a = ::new (static_cast<void*>(room)) task_local<int>(1);
        a->set(42);
        std::destroy_at(a);
        auto* const b = ::new (static_cast<void*>(room)) task_local<int>(7);
        CHECK(b->get() == 7);
        std::destroy_at(b);
        auto* const c = ::new (static_cast<void*>(room)) task_local<std::string>("fresh");
        CHECK(c->get() == "fresh");
        std::destroy_at(c);
        co_return;
    });
}

TEST_CASE("TSK-34 callbacks, posts and calls of to_thread() see a copy of the values, and their changes don't leak back") {
    static task_local<std::string> user("none");
    run([]() -> task<> {
        user.set("me");
        loop& here = loop::current();
        std::string seen;
        const auto see = [&seen](const char* where) {
            return [&seen, where] {
                seen += where + user.get() + " ";
                user.set("changed");
                seen += user.get() + " ";
            };
        };
        here.call_soon(see("soon:"));
        here.call_after(0ms, see("after:"));
        here.call_at(here.time(), see("at:"));
        here.post(see("post:"));
        here.ref().post(see("ref:"));
        auto child = spawn([]() -> task<> { co_return; });
        child.on_done(see("done:"));
        user.set("later");
        co_await sleep_for(1ms);
        co_await yield();
        for (const char* where : {"soon:", "after:", "at:", "post:", "ref:", "done:"})
            CHECK(seen.find(where + std::string("me changed ")) != std::string::npos);
        CHECK(user.get() == "later");

        const std::string on_thread = co_await to_thread([] {
            const std::string before = user.get();
            user.set("on thread");
            return before + "/" + user.get();
        });
        CHECK(on_thread == "later/on thread");
        CHECK(user.get() == "later");
    });
}

TEST_CASE("TSK-35 what a callback starts inherits the callback's values") {
    static task_local<int> depth(0);
    run([]() -> task<> {
        depth.set(1);
        std::string seen;
        loop::current().call_soon([&seen] {
            depth.set(2);
            loop::current().call_soon([&seen] { seen += "callback " + std::to_string(depth.get()) + " "; });
            spawn(
                [](std::string& s) -> task<> {
                    s += "task " + std::to_string(depth.get()) + " ";
                    co_return;
                },
                std::ref(seen));
        });
        for (int i = 0; i < 4; ++i)
            co_await yield();
        CHECK(seen == "callback 2 task 2 ");
    });
}

TEST_CASE("TSK-36 a callback sees the first value where none was set; outside of a loop there is none") {
    task_local<int> number(3);
    CHECK(usage_of([&] { number.get(); }) == errc::no_running_task);
    CHECK(usage_of([&] { number.set(4); }) == errc::no_running_task);
    run([&]() -> task<> {
        int seen = 0;
        loop::current().call_soon([&] { seen = number.get(); });
        co_await yield();
        co_await yield();
        CHECK(seen == 3);
        const int on_thread = co_await to_thread([&] { return number.get(); });
        CHECK(on_thread == 3);
    });
}

TEST_CASE("TSK-37 what get() refers to stays where it is when other values are set") {
    run([]() -> task<> {
        task_local<int> first(0);
        first.set(1);
        const int& one = first.get();
        std::vector<std::unique_ptr<task_local<int>>> others;
        for (int i = 0; i < 100; ++i) {
            others.push_back(std::make_unique<task_local<int>>(0));
            others.back()->set(i);
        }
        CHECK(&one == &first.get());
        CHECK(one == 1);
        co_return;
    });
}
