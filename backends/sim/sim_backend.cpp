// sim_backend.cpp - the virtual clock behind the seam.
#include <corun/sim.hpp>

#include <atomic>

namespace corun {
namespace {

class sim_backend final : public backend {
public:
    time_point now() const noexcept override { return now_; }

    waited wait(time_point deadline, operation_list& finished) noexcept override {
        finished.splice_back(finished_);
        if (!finished.empty() || woken_.exchange(false))
            return waited::news;
        if (deadline == no_deadline)
            return waited::never;
        if (deadline > now_)
            now_ = deadline;
        return waited::nothing;
    }
    void wake() noexcept override { woken_ = true; }

    submitted submit(operation& o) noexcept override {
        o.finish(static_cast<int>(std::errc::operation_not_supported));
        return submitted::finished;
    }
    void perform(operation& o) noexcept override { o.finish(static_cast<int>(std::errc::operation_not_supported)); }
    bool cancel(operation&) noexcept override { return false; }

    result<handle> open(socket_type) noexcept override { return std::errc::operation_not_supported; }
    result<handle> adopt(native_handle, handle_kind) noexcept override { return std::errc::operation_not_supported; }
    std::error_code control(handle, control_request&) noexcept override { return std::make_error_code(std::errc::operation_not_supported); }
    std::error_code close(handle) noexcept override { return std::make_error_code(std::errc::bad_file_descriptor); }

    native_handle wait_handle() noexcept override { return no_native_handle; }
    void block(time_point) noexcept override {}
    void on_news(void (*)(void*) noexcept, void*) noexcept override {}
    bool catch_interrupts(interrupt_counter&) noexcept override { return false; }
    void release_interrupts(interrupt_counter&) noexcept override {}
    std::string_view name() const noexcept override { return "sim"; }

private:
    time_point now_{};
    operation_list finished_;
    std::atomic<bool> woken_ = false;
};

}

std::unique_ptr<backend> make_sim() { return std::make_unique<sim_backend>(); }

}
