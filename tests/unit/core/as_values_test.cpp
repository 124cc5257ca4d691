// as_values_test.cpp - ends and times as values: what results, outcomes, groups of exceptions and sums of times give.
#include <corun/corun.hpp>
#include <support/catch.hpp>

#include <exception>
#include <limits>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

using namespace corun;
using namespace std::chrono_literals;

TEST_CASE("a result that holds an error throws it, however its value is asked for") {
    result<std::string> wrong = std::errc::timed_out;
    const auto code_of = [](auto asks) {
        try {
            asks();
        } catch (const std::system_error& e) {
            return e.code();
        }
        return std::error_code();
    };
    CHECK(code_of([&] { (void)wrong.value(); }) == std::errc::timed_out);
    CHECK(code_of([&] { (void)std::as_const(wrong).value(); }) == std::errc::timed_out);
    CHECK(code_of([&] { (void)std::move(wrong).value(); }) == std::errc::timed_out);
}

TEST_CASE("an outcome of a reference gives the object itself, also when it is a temporary") {
    int object = 1;
    const auto gives = [&object]() -> int& { return object; };
    auto kept = outcome<int&>::of_call(gives);
    CHECK(&kept.value() == &object);
    CHECK(&outcome<int&>::of_call(gives).value() == &object);
}

TEST_CASE("a group is split by type into what is of it and what is not, and each part keeps the shape") {
    const exception_group whole("whole", {std::make_exception_ptr(std::runtime_error("one")), std::make_exception_ptr(2),
                                          std::make_exception_ptr(exception_group("inner", {std::make_exception_ptr(3)}))});
    const auto [errors, others] = whole.split<std::runtime_error>();
    REQUIRE(errors);
    REQUIRE(others);
    CHECK_THROWS_AS(std::rethrow_exception(errors), exception_group);
    try {
        std::rethrow_exception(errors);
    } catch (const exception_group& g) {
        CHECK(g.size() == 1);
        CHECK(g.count<std::runtime_error>() == 1);
    }
    CHECK_THROWS_AS(std::rethrow_exception(others), exception_group);
    try {
        std::rethrow_exception(others);
    } catch (const exception_group& g) {
        CHECK(g.message() == "whole");
        CHECK(g.size() == 2);
        CHECK(g.count<int>() == 2);
        CHECK(g.count<exception_group>() == 0);
        CHECK(g.count<std::runtime_error>() == 0);
    }
}

TEST_CASE("a sum of times stays within time, at either end") {
    CHECK(saturating_add(time_point::min() + 1ns, -1ns) == time_point::min());
    CHECK(saturating_add(time_point::min() + 1ns, -2ns) == time_point::min());
    CHECK(saturating_add(time_point(-1ns), duration::min()) == time_point::min());
    CHECK(saturating_add(time_point(0ns), duration::min()) == time_point::min());
    CHECK(saturating_add(time_point(1ns), duration::min()) == time_point::min() + 1ns);
    CHECK(saturating_add(time_point::max() - 1ns, 2ns) == no_deadline);
    CHECK(saturating_add(time_point::max(), -1ns) == time_point::max() - 1ns);
}
