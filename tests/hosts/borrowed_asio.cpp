// borrowed_asio.cpp - the default backend of this program lives on an io_context that its host turns.
#include <hosts/borrowed.hpp>
#include <support/wrapped_backend.hpp>

#include <corun/asio.hpp>

#include <memory>

#include <asio/io_context.hpp>

namespace {

/// With a context of its own, that goes after it.
class on_own_context final : public testing::wrapped_backend {
public:
    explicit on_own_context(std::unique_ptr<asio::io_context> context)
        : wrapped_backend(corun::make_asio(*context)), context_(std::move(context)), outer_(testing::borrowed_context) {
        testing::borrowed_context = context_.get();
    }
    ~on_own_context() override {
        end_real();
        testing::borrowed_context = outer_;
    }

private:
    std::unique_ptr<asio::io_context> context_;
    asio::io_context* outer_;
};

}

std::unique_ptr<corun::backend> corun::make_default_backend() {
    return std::make_unique<on_own_context>(std::make_unique<asio::io_context>(1));
}
