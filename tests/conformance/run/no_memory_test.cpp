// no_memory_test.cpp - more than thirty programs, each with every single allocation refused in turn: bad_alloc or success, nothing lost, a
// usable loop.
#include <corun/corun.hpp>
#include <support/allocations.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/hook_log.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

struct scenario {
    const char* name;
    task<> (*main)();
};

task<int> seven() {
    co_await yield();
    co_return 7;
}

task<> waits_for_ever() { co_await sleep_for(1h); }

task<> fails() {
    co_await yield();
    throw std::runtime_error("E");
}

/// Two connected streams. Whichever end gets no memory, nobody waits for the other one.
task<stream_pair> connection() {
    auto listener = tcp_listener::bind(loopback());
    const auto connects = [](address to) -> task<tcp_stream> { co_return co_await connect(to); };
    const auto accepts = [&listener]() -> task<tcp_stream> { co_return co_await listener.accept(); };
    auto [ours, theirs] = co_await gather(connects(listener.local_address()), accepts());
    co_return stream_pair(std::move(ours), std::move(theirs));
}

const scenario scenarios[] = {
    {"nothing", []() -> task<> { co_return; }},
    {"await in place",
     []() -> task<> {
         const auto inner = []() -> task<int> { co_return co_await seven(); };
         co_await inner();
     }},
    {"spawn and join",
     []() -> task<> {
         auto a = spawn(seven());
         auto b = spawn(seven);
         co_await a;
         co_await b;
     }},
    {"left-over tasks",
     []() -> task<> {
         spawn(waits_for_ever());
         spawn(waits_for_ever());
         co_await yield();
     }},
    {"left-over task that cleans up",
     []() -> task<> {
         spawn([]() -> task<> { co_await finally(waits_for_ever(), sleep_for(1ms)); });
         co_await yield();
     }},
    {"task that fails unobserved",
     []() -> task<> {
         spawn(fails());
         co_await yield();
         co_await yield();
         co_await yield();
     }},
    {"named task with values of its own",
     []() -> task<> {
         static task_local<std::string> value("the default of a value that is longer than what a string holds in itself");
         value.set("another one that is longer than what a string holds in itself");
         auto t = spawn(seven());
         t.set_name("a name that is longer than what a string holds in itself");
         co_await t;
     }},
    {"group",
     []() -> task<> {
         co_await with_task_group([](task_group& g) -> task<> {
             g.spawn(seven());
             g.spawn(seven());
             co_await yield();
         });
     }},
    {"group that fails",
     []() -> task<> {
         const auto left = co_await settled(with_task_group([](task_group& g) -> task<> {
             g.spawn(fails());
             g.spawn(fails());
             co_await waits_for_ever();
         }));
         if (left.has_value())
             throw std::logic_error("the group did not fail");
     }},
    {"group that is cancelled",
     []() -> task<> {
         co_await with_task_group([](task_group& g) -> task<> {
             g.spawn(waits_for_ever());
             co_await yield();
             g.cancel();
         });
     }},
    {"start in a group",
     []() -> task<> {
         co_await with_task_group([](task_group& g) -> task<> {
             co_await g.start<int>([](started<int> ready) -> task<> {
                 ready(1);
                 co_await waits_for_ever();
             });
             g.cancel();
         });
     }},
    {"gather", []() -> task<> { co_await gather(seven(), seven(), seven()); }},
    {"gather that fails", []() -> task<> { (void)co_await settled(gather(waits_for_ever(), fails())); }},
    {"race", []() -> task<> { co_await race(seven(), waits_for_ever()); }},
    {"gather_settled", []() -> task<> { co_await gather_settled(seven(), fails()); }},
    {"wait and shield",
     []() -> task<> {
         auto t = spawn(seven());
         co_await wait(t).within(1h);
         co_await shield(t);
     }},
    {"as_completed",
     []() -> task<> {
         std::vector<task_handle<int>> tasks;
         tasks.push_back(spawn(seven()));
         tasks.push_back(spawn(seven()));
         auto done = as_completed(std::move(tasks));
         while (auto one = co_await done.next()) {
         }
     }},
    {"timeout that expires", []() -> task<> { (void)co_await settled(timeout(1ms, waits_for_ever())); }},
    {"timers and callbacks",
     []() -> task<> {
         event fired;
         loop::current().call_soon([] {});
         auto later = loop::current().call_after(1h, [] {});
         auto soon = loop::current().call_after(1ms, [&fired] { fired.set(); });
         co_await fired.wait();
         later.cancel();
         co_await sleep_for(1ms);
     }},
    {"post",
     []() -> task<> {
         event posted;
         loop::current().post([&posted] { posted.set(); });
         co_await posted.wait();
     }},
    {"event and mutex",
     []() -> task<> {
         event e;
         mutex m;
         auto waiter = spawn([&]() -> task<> {
             co_await e.wait();
             const auto lock = co_await m.lock();
         });
         const auto lock = co_await m.lock();
         co_await yield();
         e.set();
         co_await yield();
         waiter.cancel();
         (void)co_await settled(waiter);
     }},
    {"condition and semaphore",
     []() -> task<> {
         mutex m;
         condition c(m);
         semaphore s(1);
         // A group, so that the one that gets no memory keeps nobody waiting.
         co_await with_task_group([&](task_group& g) -> task<> {
             g.spawn([&]() -> task<> {
                 const auto lock = co_await m.lock();
                 co_await c.wait();
             });
             co_await yield();
             const auto lock = co_await m.lock();
             c.notify_all();
             const auto permit = co_await s.acquire();
         });
     }},
    {"queue",
     []() -> task<> {
         queue<std::string> q(1);
         co_await with_task_group([&q](task_group& g) -> task<> {
             g.spawn([&q]() -> task<> {
                 for (int i = 0; i < 3; ++i)
                     co_await q.put(std::string("an item that is longer than what a string holds in itself"));
             });
             for (int i = 0; i < 3; ++i)
                 co_await q.get();
         });
     }},
    {"channel",
     []() -> task<> {
         auto [tx, rx] = make_channel<int>(1);
         auto sends = spawn(
             [](sender<int> to) -> task<> {
                 co_await to.send(1);
                 co_await to.send(2);
             },
             std::move(tx));
         while (co_await rx.receive()) {
         }
         co_await sends;
     }},
    {"barrier",
     []() -> task<> {
         barrier b(2);
         co_await with_task_group([&b](task_group& g) -> task<> {
             g.spawn([&b]() -> task<> { co_await b.wait(); });
             co_await b.wait();
         });
     }},
    {"generator",
     []() -> task<> {
         auto g = []() -> generator<std::string> {
             co_yield "a value that is longer than what a string holds in itself";
             co_await yield();
             co_yield "another value that is longer than what a string holds in itself";
         }();
         (void)co_await g.next();
         co_await g.close();
     }},
    {"generator that is left open",
     []() -> task<> {
         static std::optional<generator<int>> left;   // outlives the run, which closes it
         left.emplace([]() -> generator<int> {
             co_yield 1;
             co_yield 2;
         }());
         (void)co_await left->next();
     }},
    {"every",
     []() -> task<> {
         auto beat = every(1ms);
         co_await beat;
         co_await beat;
     }},
    {"call on a pool thread", []() -> task<> { co_await to_thread([] { return 7; }); }},
    {"connection",
     []() -> task<> {
         auto pair = co_await connection();
         std::array<std::byte, 5> buffer;
         co_await write_all(pair.ours, as_bytes("hello"));
         co_await read_exactly(pair.theirs, buffer);
     }},
    {"connection that is read when main ends",
     []() -> task<> {
         auto pair = std::make_shared<stream_pair>(co_await connection());
         spawn([pair]() -> task<> {
             std::array<std::byte, 5> buffer;
             co_await pair->ours.read(buffer);
         });
         co_await yield();
         co_await yield();
     }},
    {"refused connection and its text",
     []() -> task<> {
         const auto left = co_await settled(connect(closed_port()));
         if (left.has_value())
             throw std::logic_error("connected to nobody");
     }},
    {"list of tasks and its text",
     []() -> task<> {
         spawn(waits_for_ever()).set_name("one");
         co_await yield();
         (void)dump_tasks(loop::current());
         (void)dump_tasks_json(loop::current());
     }},
};

/// What a run came to whose `nth` allocation was refused.
struct result_of_run {
    bool refused = false;   // it came to that allocation
    std::string left;       // what left run(), unless it was bad_alloc
};

/// A thread of its own: its free lists are empty, so that each piece of memory is asked of the system.
result_of_run run_refusing(std::size_t nth, task<> (*main)()) {
    result_of_run answer;
    std::thread([&] {
        const failing_allocation failing(nth);
        try {
            run(run_options().handle_interrupts(false).on_exception([](const exception_report&) {}), main);
        } catch (const std::bad_alloc&) {
        } catch (const std::system_error& e) {
            if (e.code() != std::errc::not_enough_memory)   // an operation's own word for it
                answer.left = e.what();
        } catch (const exception_group& e) {
            // Made of what the children ended with: of bad_alloc.
            for (const auto& each : e.flatten())
                if (text_of(each).find("bad_alloc") == std::string::npos)
                    answer.left = text_of(each);
        } catch (const std::exception& e) {
            answer.left = e.what();
        }
        answer.refused = failing.has_failed();
    }).join();
    return answer;
}

}

TEST_CASE("RES-04 whichever allocation of a run is refused, it ends with bad_alloc or as without, and leaves nothing") {
    if (!allocations_are_counted) {
        WARN("no allocation can be made to fail in this build");
        return;
    }
    static_assert(std::size(scenarios) >= 30);
    for (const scenario& s : scenarios) {
        INFO(s.name);
        std::size_t nth = 1;
        for (;; ++nth) {
            INFO("allocation " << nth);
            const auto r = run_refusing(nth, s.main);
            CHECK(r.left == "");
            if (!r.refused)
                break;
        }
        CHECK(nth > 5);
        CHECK(run(seven()) == 7);
    }
}
