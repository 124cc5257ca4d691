#include <hosts/borrowed.hpp>
#include <hosts/hosts.hpp>

#include <corun/asio_host.hpp>

#include <optional>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

namespace testing {
namespace {

class asio_test_host final : public test_host {
public:
    void attach(corun::guest& g, corun::dispatch_budget budget) override { host_.emplace(context_, g, budget); }
    void run_until(const std::function<bool()>& is_enough) override {
        context_.restart();
        while (!is_enough() && context_.run_one() > 0) {
        }
    }
    void run() override {
        context_.restart();
        context_.run();
    }
    void keep_alive(bool keeps) override { host_->keeps_alive(keeps); }
    void call_after(corun::duration d, std::function<void()> f) override {
        auto timer = std::make_shared<asio::steady_timer>(context_, d);
        timer->async_wait([timer, f = std::move(f)](const std::error_code& error) {
            if (!error)
                f();
        });
    }
    void detach() override { host_.reset(); }

private:
    std::unique_ptr<asio::io_context> own_ = borrowed_context ? nullptr : std::make_unique<asio::io_context>(1);
    asio::io_context& context_ = own_ ? *own_ : *borrowed_context;
    std::optional<corun::asio_host> host_;
};

}

std::unique_ptr<test_host> make_asio_test_host() { return std::make_unique<asio_test_host>(); }

}
