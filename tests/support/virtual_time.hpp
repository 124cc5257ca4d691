// virtual_time.hpp - a clock that stands still while anything is ready and then jumps to the next deadline.
#pragma once

#include <corun/run_options.hpp>
#include <support/wrapped_backend.hpp>

#include <algorithm>
#include <memory>

namespace testing {

/// The default backend, but for its clock: how busy the machine is makes no difference.
class virtual_time_backend final : public wrapped_backend {
public:
    corun::time_point now() const noexcept override { return now_; }
    corun::waited wait(corun::time_point deadline, corun::operation_list& finished) noexcept override {
        const bool jumps = deadline > now_ && deadline != corun::time_point::max();
        if (const corun::waited found = real().wait(jumps ? corun::time_point::min() : deadline, finished); found != corun::waited::nothing)
            return found;
        if (jumps)
            now_ = deadline;
        return corun::waited::nothing;
    }

    /// As a wait until then that found nothing: for a host that turns a guest.
    void jump_to(corun::time_point t) noexcept { now_ = std::max(now_, t); }

private:
    corun::time_point now_ = real().now();
};

/// `run(virtual_time(), main)`. For programs without threads: what another one does takes no virtual time.
inline corun::run_options virtual_time() { return corun::run_options().with(std::make_unique<virtual_time_backend>()); }

}
