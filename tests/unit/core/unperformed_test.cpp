// unperformed_test.cpp - a backend that answers `blocking` and has no perform() of its own.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/wrapped_backend.hpp>

#include <array>
#include <memory>
#include <system_error>

using namespace corun;
using namespace testing;

namespace {

class performs_nothing final : public wrapped_backend {
public:
    submitted submit(operation& o) noexcept override { return o.kind == operation_kind::read ? submitted::blocking : real().submit(o); }
    void perform(operation& o) noexcept override { backend::perform(o); }
    void take_back(operation& o) noexcept override { backend::take_back(o); }
};

}

TEST_CASE("an operation that its backend leaves to the pool and can't perform is not supported") {
    run(run_options().with(std::make_unique<performs_nothing>()), []() -> task<> {
        auto pair = co_await connected_pair();
        co_await write_all(pair.theirs, as_bytes("x"));
        std::array<std::byte, 1> buffer;
        const auto got = co_await as_result(pair.ours.read(buffer));
        CHECK_FALSE(got);
        CHECK(got.error() == std::errc::operation_not_supported);
        CHECK(loop::current().counters().pending_operations == 0);
    });
}
