// wrapped_backend.hpp - the default backend behind a layer that a test may look through or change.
#pragma once

#include <corun/backend.hpp>

#include <memory>
#include <utility>

namespace testing {

/// Passes everything on; what is of interest is overridden.
class wrapped_backend : public corun::backend {
public:
    explicit wrapped_backend(std::unique_ptr<corun::backend> real = corun::make_default_backend()) : real_(std::move(real)) {}

    corun::time_point now() const noexcept override { return real_->now(); }
    corun::waited wait(corun::time_point deadline, corun::operation_list& finished) noexcept override {
        return real_->wait(deadline, finished);
    }
    void wake() noexcept override { real_->wake(); }
    corun::submitted submit(corun::operation& o) noexcept override { return real_->submit(o); }
    void perform(corun::operation& o) noexcept override { real_->perform(o); }
    void take_back(corun::operation& o) noexcept override { real_->take_back(o); }
    bool cancel(corun::operation& o) noexcept override { return real_->cancel(o); }
    corun::result<corun::handle> open(corun::socket_type type) noexcept override { return real_->open(type); }
    corun::result<corun::handle> adopt(corun::native_handle h, corun::handle_kind kind) noexcept override { return real_->adopt(h, kind); }
    std::error_code control(corun::handle h, corun::control_request& r) noexcept override { return real_->control(h, r); }
    std::error_code close(corun::handle h) noexcept override { return real_->close(h); }
    corun::native_handle wait_handle() noexcept override { return real_->wait_handle(); }
    void block(corun::time_point deadline) noexcept override { real_->block(deadline); }
    bool on_news(void (*call)(void*) noexcept, void* context) noexcept override { return real_->on_news(call, context); }
    bool catch_interrupts(corun::interrupt_counter& c) noexcept override { return real_->catch_interrupts(c); }
    void release_interrupts(corun::interrupt_counter& c) noexcept override { real_->release_interrupts(c); }
    corun::simulation* simulated() noexcept override { return real_->simulated(); }
    std::string_view name() const noexcept override { return real_->name(); }

protected:
    corun::backend& real() noexcept { return *real_; }
    void end_real() noexcept { real_.reset(); }

private:
    std::unique_ptr<corun::backend> real_;
};

}
