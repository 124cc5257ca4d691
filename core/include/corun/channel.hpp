// channel.hpp - a queue with two ends: senders, the last of which ends it, and a receiver.
#pragma once

#include <corun/queue.hpp>
#include <corun/task.hpp>

#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

namespace corun {

/// The receiver of a channel has gone: what is sent would reach nobody.
class channel_closed : public std::exception {
public:
    const char* what() const noexcept override { return "corun: the receiver of this channel has gone"; }
};

namespace detail {

/// What the ends of a channel share; the last end frees it.
template <class T>
struct channel_state {
    explicit channel_state(std::size_t capacity) : items(capacity) {}

    void release() noexcept {
        if (--ends == 0)
            delete this;
    }

    /// After its loop has closed there is nobody left to be told.
    void end(bool immediately) noexcept {
        try {
            items.shutdown(immediately);
        } catch (const usage_error&) {
        }
    }

    queue<T> items;
    std::size_t senders = 1;
    std::size_t ends = 2;
};

}

/// An end to send from. Copies are further senders; the channel ends when the last is destroyed or closed. Belongs to the loop's thread.
template <class T>
class sender {
public:
    explicit sender(detail::channel_state<T>& s) noexcept : state_(&s) {}
    sender(const sender& other) noexcept : state_(other.state_) {
        if (state_) {
            ++state_->senders;
            ++state_->ends;
        }
    }
    sender(sender&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
    sender& operator=(sender other) noexcept {
        std::swap(state_, other.state_);
        return *this;
    }
    ~sender() { close(); }

    /// Waits for room and sends. Throws channel_closed if the receiver has gone, or goes meanwhile. A request ends the wait with
    /// `cancelled`, and the item is not sent.
    task<> send(T item) {
        detail::channel_state<T>& to = state();
        try {
            co_await to.items.put(std::move(item));
        } catch (const queue_shut_down&) {
            throw channel_closed{};
        }
    }

    /// Sends if there is room for a newcomer; false otherwise. Throws channel_closed.
    bool try_send(T item) {
        try {
            return state().items.try_put(std::move(item));
        } catch (const queue_shut_down&) {
            throw channel_closed{};
        }
    }

    /// Gives this end up; idempotent. The last sender's end is the receiver's end, once it has taken what was sent.
    void close() noexcept {
        detail::channel_state<T>* const s = std::exchange(state_, nullptr);
        if (!s)
            return;
        if (--s->senders == 0)
            s->end(false);
        s->release();
    }

private:
    detail::channel_state<T>& state() const {
        if (!state_)
            detail::throw_usage(errc::closed_loop, "corun::sender: this end of the channel has been closed or moved from");
        return *state_;
    }

    detail::channel_state<T>* state_;
};

/// The end to receive from. Moves only.
template <class T>
class receiver {
public:
    explicit receiver(detail::channel_state<T>& s) noexcept : state_(&s) {}
    receiver(receiver&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
    receiver& operator=(receiver&& other) noexcept {
        std::swap(state_, other.state_);
        return *this;
    }
    ~receiver() { close(); }

    /// Waits for an item; nullopt once every sender has gone and all that was sent has been taken. A request ends the wait with
    /// `cancelled`; no item is lost.
    task<std::optional<T>> receive() {
        if (!state_)
            detail::throw_usage(errc::closed_loop, "corun::receiver: this end of the channel has been closed or moved from");
        try {
            co_return co_await state_->items.get();
        } catch (const queue_shut_down&) {
        }
        co_return std::nullopt;
    }

    /// Takes an item if one is there.
    std::optional<T> try_receive() { return state_ ? state_->items.try_get() : std::nullopt; }

    /// Gives this end up; idempotent. What was not taken is dropped, senders get channel_closed.
    void close() noexcept {
        detail::channel_state<T>* const s = std::exchange(state_, nullptr);
        if (!s)
            return;
        s->end(true);
        s->release();
    }

private:
    detail::channel_state<T>* state_;
};

/// The two ends of a new channel. `capacity` 0: unbounded.
template <class T>
std::pair<sender<T>, receiver<T>> make_channel(std::size_t capacity = 0) {
    auto* const s = new detail::channel_state<T>(capacity);
    return {sender<T>(*s), receiver<T>(*s)};
}

}
