// channel.hpp - a queue with two ends: senders, the last of which ends it, and a receiver.
#pragma once

#include <corun/queue.hpp>
#include <corun/task.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <utility>

namespace corun {

/// What is sent would reach nobody: the receiver of the channel has gone, or the sender was closed while it sent.
class channel_closed : public std::exception {
public:
    enum class reason : std::uint8_t { receiver_gone, sender_closed };

    explicit channel_closed(reason r) noexcept : reason_(r) {}

    const char* what() const noexcept override {
        return reason_ == reason::receiver_gone
                   ? "corun: the receiver of this channel has gone"
                   : "corun: the sender was closed while it waited for room; close it once send() has returned";
    }

private:
    reason reason_;
};

namespace detail {

/// What the ends of a channel share; the last end frees it.
template <class T>
struct channel_state {
    explicit channel_state(std::size_t capacity) : items(capacity) {}

    void release() noexcept {
        if (--references == 0)
            delete this;
    }

    /// Why a send fails.
    channel_closed failure() const noexcept {
        return channel_closed(has_receiver ? channel_closed::reason::sender_closed : channel_closed::reason::receiver_gone);
    }

    /// After its loop has closed no task is left to be told.
    void end(bool immediately) noexcept {
        try {
            items.shutdown(immediately);
        } catch (const usage_error&) {
        }
    }

    queue<T> items;
    std::size_t senders = 1;
    std::size_t references = 2;   // of the ends, and of tasks that stand in a send() or receive()
    bool has_receiver = true;
};

/// Keeps a channel while a task waits in it, as its end may be closed or destroyed meanwhile.
template <class T>
class channel_stay {
public:
    explicit channel_stay(channel_state<T>& s) noexcept : state_(s) { ++s.references; }
    channel_stay(const channel_stay&) = delete;
    ~channel_stay() { state_.release(); }

    channel_state<T>* operator->() const noexcept { return &state_; }

private:
    channel_state<T>& state_;
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
            ++state_->references;
        }
    }
    sender(sender&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
    sender& operator=(sender other) noexcept {
        std::swap(state_, other.state_);
        return *this;
    }
    ~sender() { close(); }

    /// Waits for room and sends. Throws channel_closed if the receiver has gone, or goes meanwhile, or if the last sender is closed
    /// meanwhile. A request ends the wait with `cancelled`, and the item is not sent.
    task<> send(T item) {
        const detail::channel_stay<T> to(state());
        try {
            co_await to->items.put(std::move(item));
        } catch (const queue_shut_down&) {
            throw to->failure();
        }
    }

    /// Sends if there is room for a newcomer; false otherwise. Throws channel_closed.
    [[nodiscard("false: there was no room, and the item was not sent")]] bool try_send(T item) {
        try {
            return state().items.try_put(std::move(item));
        } catch (const queue_shut_down&) {
            throw state().failure();
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
            detail::throw_usage(errc::empty_handle, "corun::sender: this end of the channel has been closed or moved from");
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
            detail::throw_usage(errc::empty_handle, "corun::receiver: this end of the channel has been closed or moved from");
        const detail::channel_stay<T> from(*state_);
        try {
            co_return co_await from->items.get();
        } catch (const queue_shut_down&) {
        }
        co_return std::nullopt;
    }

    /// Takes an item if one is there.
    [[nodiscard("the item that it takes is in it")]] std::optional<T> try_receive() {
        return state_ ? state_->items.try_get() : std::nullopt;
    }

    /// Gives this end up; idempotent. What was not taken is dropped, senders get channel_closed.
    void close() noexcept {
        detail::channel_state<T>* const s = std::exchange(state_, nullptr);
        if (!s)
            return;
        s->has_receiver = false;
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
