// no_default_test.cpp - a program that links no default backend: each run is given one of its own.
#include <corun/corun.hpp>
#include <corun/sim.hpp>
#include <support/catch.hpp>

#include <optional>
#include <string>

using namespace corun;

TEST_CASE("Without a default backend run() says which to link, or how to give it one; with its own it runs") {
    std::optional<errc> code;
    std::string said;
    try {
        run([]() -> task<> { co_return; });
    } catch (const usage_error& e) {
        code = e.code();
        said = e.what();
    }
    CHECK(code == errc::no_default_backend);
    CHECK(said.find("link corun::corun") != std::string::npos);
    CHECK(run(run_options().with(make_sim()), []() -> task<int> { co_return 7; }) == 7);
}
