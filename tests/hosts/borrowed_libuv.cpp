// borrowed_libuv.cpp - the default backend of this program lives on a uv_loop_t that its host turns.
#include <hosts/borrowed.hpp>
#include <support/wrapped_backend.hpp>

#include <corun/libuv.hpp>

#include <memory>
#include <system_error>

#include <uv.h>

namespace {

struct loop_end {
    void operator()(uv_loop_t* loop) const noexcept {
        while (uv_loop_close(loop) == UV_EBUSY)
            uv_run(loop, UV_RUN_NOWAIT);
        delete loop;
    }
};
using own_loop = std::unique_ptr<uv_loop_t, loop_end>;

own_loop make_loop() {
    auto made = std::make_unique<uv_loop_t>();
    if (const int error = uv_loop_init(made.get()); error < 0)
        throw std::system_error(-error, std::system_category(), "uv_loop_init");
    return own_loop(made.release());
}

/// With a loop of its own, that goes after it.
class on_own_loop final : public testing::wrapped_backend {
public:
    explicit on_own_loop(own_loop loop)
        : wrapped_backend(corun::make_libuv(*loop)), loop_(std::move(loop)), outer_(testing::borrowed_loop) {
        testing::borrowed_loop = loop_.get();
    }
    ~on_own_loop() override {
        end_real();
        testing::borrowed_loop = outer_;
    }

private:
    own_loop loop_;
    uv_loop_t* outer_;
};

}

std::unique_ptr<corun::backend> corun::make_default_backend() { return std::make_unique<on_own_loop>(make_loop()); }
