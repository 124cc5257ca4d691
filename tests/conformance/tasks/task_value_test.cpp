// task_value_test.cpp - what tasks give: which types, how often moved, when destroyed.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/lifetimes.hpp>

#include <array>
#include <functional>
#include <memory>
#include <thread>
#include <type_traits>
#include <utility>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("TSK-08 a value is moved once into its place and once out of it, never copied") {
    run([]() -> task<> {
        lifetimes of_value;
        const auto makes = [&of_value]() -> task<counted> {
            counted value(of_value);
            co_await yield();
            co_return std::move(value);
        };
        {
            auto h = spawn(makes);
            auto& joined = co_await h;
            CHECK(of_value.moved == 1);
            const counted out = co_await std::move(h);
            CHECK(of_value.moved == 2);
            (void)joined;
        }
        CHECK(of_value.copied == 0);
        CHECK(of_value.alive() == 0);

        of_value = {};
        {
            const counted in_place = co_await makes();
            CHECK(of_value.moved == 2);
        }
        CHECK(of_value.copied == 0);
        CHECK(of_value.alive() == 0);
    });
}

TEST_CASE("TSK-08 a task may give a reference, a movable, nothing, or a megabyte") {
    struct megabyte {
        std::array<unsigned char, 1 << 20> bytes;
    };
    run([]() -> task<> {
        int object = 7;
        const auto refers = [&object]() -> task<int&> {
            co_await yield();
            co_return object;
        };
        auto reference = spawn(refers);
        int& by_handle = co_await reference;
        CHECK(&by_handle == &object);
        int& in_place = co_await refers();
        CHECK(&in_place == &object);

        const auto nothing = []() -> task<> { co_await yield(); };
        auto empty = spawn(nothing);
        static_assert(std::is_void_v<decltype(empty.get())>);
        co_await empty;
        co_await empty;

        const auto makes_big = []() -> task<std::unique_ptr<megabyte>> {
            auto big = std::make_unique<megabyte>();
            big->bytes.fill(0x5a);
            co_return big;
        };
        const auto big_value = [&]() -> task<megabyte> {
            const auto made = co_await makes_big();
            co_return *made;
        };
        auto h = spawn(big_value);
        const megabyte& big = co_await h;
        CHECK(big.bytes.front() == 0x5a);
        CHECK(big.bytes.back() == 0x5a);
    });
}

TEST_CASE("TSK-09 a value is destroyed once, on the loop's thread, when the last handle goes") {
    lifetimes of_kept;
    lifetimes of_dropped;
    lifetimes of_left;
    run([&]() -> task<> {
        const auto makes = [](lifetimes& l) -> task<counted> { co_return counted(l); };
        {
            auto h = spawn(makes, std::ref(of_kept));
            co_await h;
            const auto copy = h;
            h = {};
            CHECK(of_kept.alive() == 1);
        }
        CHECK(of_kept.alive() == 0);

        spawn(makes, std::ref(of_dropped));
        co_await yield();
        CHECK(of_dropped.made > 0);
        CHECK(of_dropped.alive() == 0);

        auto outlives_main = std::make_shared<task_handle<counted>>(spawn(makes, std::ref(of_left)));
        loop::current().call_after(1h, [outlives_main] {});
        co_await yield();
    });
    CHECK(of_left.made > 0);
    for (const lifetimes* l : {&of_kept, &of_dropped, &of_left}) {
        CHECK(l->alive() == 0);
        CHECK(l->destroyed_on == std::this_thread::get_id());
    }
}
