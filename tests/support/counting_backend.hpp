// counting_backend.hpp - the default backend, with everything that the core asks of it counted.
#pragma once

#include <corun/backend.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace testing {

/// Outlives the loop whose backend is counted.
struct backend_calls {
    std::atomic<std::uint64_t> waits = 0;           ///< wait(), however short
    std::atomic<std::uint64_t> blocking_waits = 0;  ///< those whose deadline was still to come
    std::atomic<std::uint64_t> endless_waits = 0;   ///< those without a deadline
    std::atomic<std::uint64_t> wakes = 0;
    std::function<void()> before_endless_wait;   ///< called on the loop's thread as it goes to sleep for good
};

class counting_backend final : public corun::backend {
public:
    explicit counting_backend(backend_calls& calls) : calls_(calls), real_(corun::make_default_backend()) {}

    corun::time_point now() const noexcept override { return real_->now(); }
    corun::waited wait(corun::time_point deadline, corun::operation_list& finished) noexcept override {
        ++calls_.waits;
        if (deadline > real_->now())
            ++calls_.blocking_waits;
        if (deadline == corun::time_point::max()) {
            ++calls_.endless_waits;
            if (calls_.before_endless_wait)
                calls_.before_endless_wait();
        }
        return real_->wait(deadline, finished);
    }
    void wake() noexcept override {
        ++calls_.wakes;
        real_->wake();
    }
    corun::submitted submit(corun::operation& o) noexcept override { return real_->submit(o); }
    void perform(corun::operation& o) noexcept override { real_->perform(o); }
    bool cancel(corun::operation& o) noexcept override { return real_->cancel(o); }
    corun::result<corun::handle> open(corun::socket_type type) noexcept override { return real_->open(type); }
    corun::result<corun::handle> adopt(corun::native_handle h, corun::handle_kind kind) noexcept override { return real_->adopt(h, kind); }
    std::error_code control(corun::handle h, corun::control_request& r) noexcept override { return real_->control(h, r); }
    std::error_code close(corun::handle h) noexcept override { return real_->close(h); }
    corun::native_handle wait_handle() noexcept override { return real_->wait_handle(); }
    void block(corun::time_point deadline) noexcept override { real_->block(deadline); }
    void on_news(void (*call)(void*) noexcept, void* context) noexcept override { real_->on_news(call, context); }
    bool catch_interrupts(corun::interrupt_counter& c) noexcept override { return real_->catch_interrupts(c); }
    void release_interrupts(corun::interrupt_counter& c) noexcept override { real_->release_interrupts(c); }
    std::string_view name() const noexcept override { return real_->name(); }

private:
    backend_calls& calls_;
    std::unique_ptr<corun::backend> real_;
};

}
