#include <hosts/borrowed.hpp>
#include <hosts/hosts.hpp>

#include <corun/libuv_host.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <utility>

#include <uv.h>

namespace testing {
namespace {

/// From its first loop on libuv keeps a pipe for signals: it is no leak of a case's.
[[maybe_unused]] const bool is_prepared = [] {
    uv_loop_t loop;
    return uv_loop_init(&loop) == 0 && uv_loop_close(&loop) == 0;
}();

class libuv_test_host final : public test_host {
public:
    libuv_test_host() {
        if (!borrowed_loop && uv_loop_init(&own_) != 0)
            std::abort();
    }
    ~libuv_test_host() override {
        if (loop_ != &own_)
            return;
        while (uv_loop_close(loop_) == UV_EBUSY)
            uv_run(loop_, UV_RUN_ONCE);
    }
    void attach(corun::guest& g, corun::dispatch_budget budget) override { host_.emplace(*loop_, g, budget); }
    void run_until(const std::function<bool()>& is_enough) override {
        while (!is_enough())
            uv_run(loop_, UV_RUN_ONCE);
    }
    void run() override { uv_run(loop_, UV_RUN_DEFAULT); }
    void keep_alive(bool keeps) override { host_->keeps_alive(keeps); }
    void call_after(corun::duration d, std::function<void()> f) override {
        // A timer without a delay that is started in a timer's callback runs in the same turn, for ever.
        const auto milliseconds = std::max<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(d).count(), 1);
        auto* const timer = new own_timer{{}, std::move(f)};
        uv_timer_init(loop_, &timer->handle);
        timer->handle.data = timer;
        uv_update_time(loop_);
        uv_timer_start(
            &timer->handle,
            [](uv_timer_t* t) {
                const auto call = std::move(static_cast<own_timer*>(t->data)->f);
                uv_close(reinterpret_cast<uv_handle_t*>(t), [](uv_handle_t* h) { delete static_cast<own_timer*>(h->data); });
                call();
            },
            static_cast<std::uint64_t>(milliseconds), 0);
    }
    void detach() override { host_.reset(); }

private:
    struct own_timer {
        uv_timer_t handle;
        std::function<void()> f;
    };

    uv_loop_t own_;
    uv_loop_t* loop_ = borrowed_loop ? borrowed_loop : &own_;
    std::optional<corun::libuv_host> host_;
};

}

std::unique_ptr<test_host> make_libuv_test_host() { return std::make_unique<libuv_test_host>(); }

}
