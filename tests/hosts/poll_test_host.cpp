#include <hosts/host_timers.hpp>
#include <hosts/hosts.hpp>

#include <corun/poll_host.hpp>

#include <optional>

namespace testing {
namespace {

class poll_test_host final : public test_host {
public:
    void attach(corun::guest& g, corun::dispatch_budget budget) override {
        guest_ = &g;
        host_.emplace(g, budget);
    }
    void run_until(const std::function<bool()>& is_enough) override {
        while (!is_enough()) {
            timers_.run_due();
            if (is_enough())
                return;
            host_->run_once(timers_.left());
        }
    }
    void run() override { host_->run(); }
    void call_after(corun::duration d, std::function<void()> f) override { timers_.add(d, std::move(f)); }
    void detach() override { host_.reset(); }

private:
    corun::guest* guest_ = nullptr;
    std::optional<corun::poll_host> host_;
    host_timers timers_;
};

}

std::unique_ptr<test_host> make_poll_test_host() { return std::make_unique<poll_test_host>(); }

}
