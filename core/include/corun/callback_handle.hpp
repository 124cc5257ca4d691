// callback_handle.hpp - what a loop gives for a function that it will call.
#pragma once

#include <corun/detail/callback.hpp>

#include <utility>

namespace corun {

/// Cancels a callback (asyncio.Handle). Copies name the same one. Belongs to the loop's thread.
class callback_handle {
public:
    callback_handle() noexcept = default;
    explicit callback_handle(detail::callback& c) noexcept : node_(&c) { ++c.references; }
    callback_handle(const callback_handle& other) noexcept : node_(other.node_) {
        if (node_)
            ++node_->references;
    }
    callback_handle(callback_handle&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
    callback_handle& operator=(callback_handle other) noexcept {
        std::swap(node_, other.node_);
        return *this;
    }
    ~callback_handle() {
        if (node_)
            node_->release();
    }

    /// Drops the function at once, captures included; it will not run. False if it has run, runs, or was cancelled.
    bool cancel() noexcept;

    /// True while the function waits for its turn.
    bool is_pending() const noexcept { return node_ && !node_->begun && !node_->dropped; }

private:
    detail::callback* node_ = nullptr;
};

}
