// exception_group_parts_test.cpp - groups in groups: split in two, moved, and as text.
#include <corun/errors.hpp>
#include <corun/exception_group.hpp>
#include <support/catch.hpp>

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace corun;

namespace {

std::exception_ptr logic(const char* text) { return std::make_exception_ptr(std::logic_error(text)); }
std::exception_ptr runtime(const char* text) { return std::make_exception_ptr(std::runtime_error(text)); }

}

TEST_CASE("A group in a group is split in two: each half keeps the inner group with its part, in order") {
    const exception_group whole(
        "outer", {runtime("a"), std::make_exception_ptr(exception_group("inner", {logic("b"), runtime("c"), logic("d")})), logic("e")});
    const auto [matching, rest] = whole.split<std::logic_error>();
    CHECK(describe(matching) == "outer (2 exceptions)\n  - inner (2 exceptions)\n      - b\n      - d\n  - e");
    CHECK(describe(rest) == "outer (2 exceptions)\n  - a\n  - inner (1 exception)\n      - c");
}

TEST_CASE("A group that was moved from is empty, and goes as one") {
    exception_group from("g", {runtime("a")});
    {
        const exception_group to(std::move(from));
        CHECK(to.size() == 1);
    }
    CHECK(from.size() == 0);
}

TEST_CASE("No exception is described by no text, a cancellation in a group by its name") {
    CHECK(describe(nullptr).empty());
    const exception_group g("g", {std::make_exception_ptr(corun::cancelled())});
    CHECK(g.to_string() == "g (1 exception)\n  - cancelled");
}
