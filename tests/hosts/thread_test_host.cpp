#include <hosts/host_timers.hpp>
#include <hosts/hosts.hpp>

#include <corun/thread_host.hpp>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

namespace testing {
namespace {

/// A queue of functions: the least that a loop has.
class thread_test_host final : public test_host {
public:
    void attach(corun::guest& g, corun::dispatch_budget budget) override {
        host_.emplace(
            g,
            [this](std::function<void()> f) {
                {
                    const std::lock_guard lock(mutex_);
                    queue_.push_back(std::move(f));
                }
                changed_.notify_one();
            },
            budget);
    }
    void run_until(const std::function<bool()>& is_enough) override {
        while (!is_enough()) {
            timers_.run_due();
            if (is_enough())
                return;
            if (const auto f = next())
                f();
        }
    }
    void run() override {
        has_quit_ = false;
        run_until([this] { return has_quit_; });
    }
    void quit() override { has_quit_ = true; }
    void call_after(corun::duration d, std::function<void()> f) override { timers_.add(d, std::move(f)); }
    void detach() override { host_.reset(); }

private:
    /// Null if a timer was first.
    std::function<void()> next() {
        std::unique_lock lock(mutex_);
        const auto is_filled = [this] { return !queue_.empty(); };
        if (const auto left = timers_.left(); left == corun::duration::max())
            changed_.wait(lock, is_filled);
        else if (!changed_.wait_for(lock, left, is_filled))
            return nullptr;
        auto f = std::move(queue_.front());
        queue_.pop_front();
        return f;
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> queue_;
    host_timers timers_;
    bool has_quit_ = false;
    std::optional<corun::thread_host> host_;
};

}

std::unique_ptr<test_host> make_thread_test_host() { return std::make_unique<thread_test_host>(); }

}
