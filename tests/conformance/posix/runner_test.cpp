// runner_test.cpp - a runner that goes inside its own run.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/os.hpp>

#include <memory>
#include <string>

using namespace corun;
using namespace testing;

TEST_CASE("SHD-23 a runner that is destroyed by a task that it runs ends the program and says so") {
    const auto child = os::run_in_child([] {
        auto r = std::make_unique<runner>();
        r->run([&]() -> task<> {
            r.reset();
            co_await yield();
        });
        return 0;
    });
    CHECK_FALSE(child.code.has_value());
    CHECK(child.output.find("a runner was destroyed by a task or callback that it runs") != std::string::npos);
}
