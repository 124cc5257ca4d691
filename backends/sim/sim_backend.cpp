// sim_backend.cpp - a virtual clock and a network in memory behind the seam.
#include "network.hpp"

#include <corun/sim.hpp>

#include <atomic>
#include <new>

namespace corun {
namespace {

class sim_backend final : public backend {
public:
    time_point now() const noexcept override { return now_; }

    waited wait(time_point deadline, operation_list& finished) noexcept override {
        finished.splice_back(network_.finished);
        if (!finished.empty() || woken_.exchange(false))
            return waited::news;
        if (deadline == no_deadline)
            return waited::never;
        if (deadline > now_)
            now_ = deadline;
        return waited::nothing;
    }
    void wake() noexcept override {
        woken_ = true;
        woken_.notify_one();
    }

    submitted submit(operation& o) noexcept override {
        try {
            return network_.submit(o);
        } catch (const std::bad_alloc&) {
            o.finish(static_cast<int>(std::errc::not_enough_memory));
            return submitted::finished;
        }
    }
    void perform(operation& o) noexcept override { o.finish(static_cast<int>(std::errc::operation_not_supported)); }
    bool cancel(operation& o) noexcept override {
        network_.cancel(o);
        return true;
    }

    result<handle> open(socket_type type) noexcept override {
        try {
            return network_.open(type);
        } catch (const std::bad_alloc&) {
            return std::error_code(static_cast<int>(std::errc::not_enough_memory), std::system_category());
        }
    }
    result<handle> adopt(native_handle, handle_kind) noexcept override {
        return std::error_code(static_cast<int>(std::errc::operation_not_supported), std::system_category());
    }
    std::error_code control(handle h, control_request& r) noexcept override { return network_.control(h, r); }
    std::error_code close(handle h) noexcept override { return network_.close(h); }

    native_handle wait_handle() noexcept override { return no_native_handle; }
    void block(time_point) noexcept override { woken_.wait(false); }   // virtual deadlines are none here
    void on_news(void (*)(void*) noexcept, void*) noexcept override {}
    bool catch_interrupts(interrupt_counter&) noexcept override { return false; }
    void release_interrupts(interrupt_counter&) noexcept override {}
    bool is_simulation() const noexcept override { return true; }
    std::string_view name() const noexcept override { return "sim"; }

private:
    time_point now_{};
    sim::network network_;
    std::atomic<bool> woken_ = false;
};

}

std::unique_ptr<backend> make_sim() { return std::make_unique<sim_backend>(); }

}
