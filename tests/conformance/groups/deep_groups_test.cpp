// deep_groups_test.cpp - groups inside groups, deeper than a stack: what they print grows with them, and they go without a call inside a
// call.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/scale.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace corun;
using namespace testing;

namespace {

/// `inside` runs in the innermost of so many groups.
task<> nest(std::size_t depth, std::function<void()> inside) {
    auto body = [depth, &inside](task_group& g) -> task<> {
        if (depth > 0)
            g.spawn(nest, depth - 1, inside);
        else
            inside();
        co_return;
    };
    co_await with_task_group(body);
}

/// A group of a group ... of an exception.
std::exception_ptr nested_groups(std::size_t depth) {
    auto e = std::make_exception_ptr(std::runtime_error("leaf"));
    for (std::size_t i = 0; i < depth; ++i)
        e = std::make_exception_ptr(exception_group("g", {std::move(e)}));
    return e;
}

const std::size_t deep = 20000 / slowdown;

}

TEST_CASE("TSK-61 dumps of nested groups grow with the tasks, not with their square") {
    std::string text;
    std::string json;
    run(nest, deep, [&] {
        text = dump_tasks(loop::current());
        json = dump_tasks_json(loop::current());
    });
    CHECK(std::size_t(std::count(text.begin(), text.end(), '\n')) >= deep);
    CHECK(text.size() < deep * 2000);
    CHECK(json.size() < deep * 2000);
    CHECK(text.find("[" + std::to_string(deep) + " deep] task") != std::string::npos);
    CHECK(std::count(json.begin(), json.end(), '{') == std::count(json.begin(), json.end(), '}'));
    CHECK(std::count(json.begin(), json.end(), '[') == std::count(json.begin(), json.end(), ']'));
}

TEST_CASE("GRP-41 exceptions of nested groups leave, are looked into and go, however deep they are") {
    bool caught = false;
    try {
        run(nest, deep, [] { throw std::runtime_error("leaf"); });
    } catch (const exception_group& g) {
        caught = true;
        CHECK(g.count<std::runtime_error>() == 1);
    }
    CHECK(caught);

    const std::exception_ptr e = nested_groups(deep);
    try {
        std::rethrow_exception(e);
    } catch (const exception_group& g) {
        CHECK(g.flatten().size() == 1);
        const auto [errors, others] = g.split<std::runtime_error>();
        CHECK(errors);
        CHECK_FALSE(others);
        const std::string text = g.to_string();
        CHECK(text.size() < deep * 200);
        CHECK(text.ends_with("- [" + std::to_string(deep) + " deep] leaf"));
    }
}

TEST_CASE("GRP-41 a group that goes inside another's end loses none of what it holds") {
    struct counted {
        explicit counted(int& n) noexcept : alive(&n) { ++*alive; }
        counted(const counted& other) noexcept : alive(other.alive) { ++*alive; }
        ~counted() { --*alive; }
        int* alive;
    };
    int alive = 0;
    {
        std::vector<std::exception_ptr> wide;
        for (int i = 0; i < 10; ++i)
            wide.push_back(std::make_exception_ptr(exception_group("g", {std::make_exception_ptr(counted(alive)), nested_groups(3)})));
        const exception_group whole("whole", std::move(wide));
        const exception_group copy = whole;
        CHECK(alive == 10);
        CHECK(copy.flatten().size() == 20);
    }
    CHECK(alive == 0);
}
