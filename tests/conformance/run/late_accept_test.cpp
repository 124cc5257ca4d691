// late_accept_test.cpp - a connection that comes as the frame which waits for it is destroyed by force.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/hook_log.hpp>
#include <support/scale.hpp>
#include <support/wrapped_backend.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

struct connection_log {
    int made = 0;
    std::vector<handle> open;
};

/// An accept gets its connection when it is asked to end: the effect was first.
class late_backend final : public wrapped_backend {
public:
    explicit late_backend(connection_log& log) : log_(log) {}

    submitted submit(operation& o) noexcept override {
        if (o.kind != operation_kind::accept)
            return real().submit(o);
        o.state = operation_state::pending;
        return submitted::pending;
    }
    bool cancel(operation& o) noexcept override {
        if (o.kind != operation_kind::accept)
            return real().cancel(o);
        const result<handle> connection = open(socket_type::tcp_v4);
        o.finish(0);
        o.accepted = connection.value();
        ++log_.made;
        log_.open.push_back(o.accepted);
        answers_.push_back(o);
        return true;
    }
    waited wait(time_point deadline, operation_list& finished) noexcept override {
        if (answers_.empty())
            return real().wait(deadline, finished);
        finished.splice_back(answers_);
        return waited::news;
    }
    std::error_code close(handle h) noexcept override {
        std::erase(log_.open, h);
        return real().close(h);
    }

private:
    connection_log& log_;
    operation_list answers_;
};

}

TEST_CASE("SHD-44 a connection that is there for a frame which is destroyed by force is closed, also if its listener was closed first") {
    for (const bool listener_goes_first : {false, true}) {
        connection_log log;
        hook_log reports;
        // Their closures are there after main's frame, which goes before them.
        std::optional<tcp_listener>* listener = nullptr;
        const auto owns = [&]() -> task<> {
            std::optional<tcp_listener> own(tcp_listener::bind(loopback()));
            listener = &own;
            for (;;)
                (void)co_await settled(sleep_for(1h));
        };
        const auto accepts = [&]() -> task<> {
            co_await yield();
            for (;;)
                (void)co_await settled((*listener)->accept());
        };
        const auto main = [&]() -> task<> {
            // The last made is destroyed first.
            if (listener_goes_first)
                spawn(accepts);
            spawn(owns);
            if (!listener_goes_first)
                spawn(accepts);
            for (int turn = 0; turn < 4; ++turn)
                co_await yield();
        };
        run(run_options().with(std::make_unique<late_backend>(log)).shutdown_grace(100ms * slowdown).on_exception(reports.hook()), main);
        CHECK(reports.size() == 2);
        CHECK(log.made > 1);
        CHECK(log.open.empty());
    }
}
