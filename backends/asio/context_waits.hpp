// context_waits.hpp - waits on an io_context that do not keep its run() from returning.
#pragma once

#include <cstddef>

#include <asio/io_context.hpp>

namespace corun {

/// Asio counts each wait as work. These are told of their waits' beginnings and ends, and can take those under way out of the count.
/// Belongs to the thread that runs the context.
class context_waits {
public:
    explicit context_waits(asio::io_context& c) noexcept : context_(c) {}
    context_waits(const context_waits&) = delete;

    void began() noexcept { ++under_way_; }

    /// First of all in a handler, for whose wait the context is about to count down.
    void ended() noexcept {
        if (discounted_ == under_way_) {
            begin_work();
            --discounted_;
        }
        --under_way_;
    }

    /// Those under way count for nothing, until they are counted again; later ones count.
    void discount() noexcept {
        for (; discounted_ < under_way_; ++discounted_)
            end_work();
    }
    void count() noexcept {
        for (; discounted_ > 0; --discounted_)
            begin_work();
    }

    void begin_work() noexcept { context_.get_executor().on_work_started(); }

    /// Outside its handlers a context that finds itself without work would be a stopped one before it was run.
    void end_work() noexcept {
        const bool was_stopped = context_.stopped();
        context_.get_executor().on_work_finished();
        if (!was_stopped && context_.stopped())
            context_.restart();
    }

private:
    asio::io_context& context_;
    std::size_t under_way_ = 0;
    std::size_t discounted_ = 0;   // of them
};

}
