// queue.hpp - items handed from task to task, in order of arrival on both sides.
#pragma once

#include <corun/detail/memory_waiter.hpp>
#include <corun/event.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace corun {

/// A queue that has been shut down takes nothing more, or has nothing left (asyncio.QueueShutDown).
class queue_shut_down : public std::exception {
public:
    const char* what() const noexcept override;
};

namespace detail {

class queue_waiter;

/// The tasks that wait for items and for room, and what is reserved for those that were woken but have not resumed.
class queue_core {
public:
    /// `capacity` 0: unbounded.
    explicit queue_core(std::size_t capacity) noexcept : capacity_(capacity == 0 ? SIZE_MAX : capacity) {}
    queue_core(const queue_core&) = delete;
    ~queue_core() {
        getters_.waiters.abandon_all("queue");
        putters_.waiters.abandon_all("queue");
    }

    bool has_item() const noexcept { return getters_.waiters.empty() && size_ > getters_.reserved; }
    bool has_room() const noexcept {
        return putters_.waiters.empty() && putters_.reserved < capacity_ && size_ < capacity_ - putters_.reserved;
    }
    bool is_shut_down() const noexcept { return shut_down_; }

protected:
    friend queue_waiter;

    /// One of the two sides.
    struct side {
        waiter_list waiters;
        std::size_t reserved = 0;
    };

    /// Reserves for the first waiters what there is.
    void wake() noexcept;
    void end_waits() noexcept;

    side getters_;
    side putters_;
    std::size_t size_ = 0;
    std::size_t capacity_;
    bool shut_down_ = false;
};

/// The wait of a getter or a putter; its item or its room is reserved from the moment it is woken.
class queue_waiter : public primitive_waiter {
public:
    std::string_view what() const noexcept override { return puts_ ? "room in a queue" : "an item of a queue"; }

    /// The item or the room that this is woken for is kept for it.
    void reserve() noexcept { reserved_ = true; }

    /// queue_shut_down, for which the queue needs not be there any more.
    void end_by_shut_down() noexcept {
        queue_ = nullptr;
        give();
    }

protected:
    queue_waiter(queue_core& q, bool puts) noexcept : queue_(&q), puts_(puts) {}
    queue_waiter(queue_waiter&&) noexcept = default;
    ~queue_waiter() = default;

    bool ready();
    void suspend(task_state& t);

    /// Throws `cancelled` or queue_shut_down; what was reserved is the caller's from now on.
    void check_end();

private:
    queue_core::side& mine() const noexcept { return puts_ ? queue_->putters_ : queue_->getters_; }

    queue_core* queue_;   // null once a shut down has ended the wait: the queue is not needed any more
    bool puts_;
    bool reserved_ = false;
};

/// The order of a queue's items.
template <class T>
struct first_in_first_out {
    void push(T&& item) { items.push_back(std::move(item)); }
    T pop() {
        T item = std::move(items.front());
        items.pop_front();
        return item;
    }
    std::deque<T> items;
};

template <class T>
struct last_in_first_out {
    void push(T&& item) { items.push_back(std::move(item)); }
    T pop() {
        T item = std::move(items.back());
        items.pop_back();
        return item;
    }
    std::vector<T> items;
};

template <class T, class Compare>
struct least_first {
    // Where a comparison throws, nothing has been moved yet: not so in the standard's heaps.
    void push(T&& item) {
        std::size_t place = items.size();
        while (place > 0 && later(items[parent_of(place)], item))
            place = parent_of(place);
        items.push_back(std::move(item));
        for (std::size_t at = items.size() - 1; at != place; at = parent_of(at))
            std::swap(items[at], items[parent_of(at)]);
    }
    T pop() {
        const std::size_t last = items.size() - 1;
        std::size_t place = 0;   // of the last item, once the first has gone
        for (std::size_t child = 1; child < last; child = 2 * place + 1) {
            if (child + 1 < last && later(items[child], items[child + 1]))
                ++child;
            if (!later(items[last], items[child]))
                break;
            place = child;
        }
        T item = std::move(items[last]);
        items.pop_back();
        for (std::size_t at = place; last > 0; at = parent_of(at)) {
            std::swap(item, items[at]);
            if (at == 0)
                break;
        }
        return item;
    }
    static std::size_t parent_of(std::size_t place) noexcept { return (place - 1) / 2; }
    static bool later(const T& a, const T& b) { return Compare{}(b, a); }
    std::vector<T> items;
};

template <class T, class Order>
class basic_queue : public queue_core {
public:
    class getter;
    class putter;

    explicit basic_queue(std::size_t capacity = 0) : queue_core(capacity) {}

    /// Waits for an item and gives it. A request ends the wait with `cancelled`; an item that had been reserved passes on.
    /// Throws queue_shut_down once the queue is shut down and empty.
    [[nodiscard("nothing happens until it is awaited")]] getter get() noexcept { return getter(*this); }

    /// Waits for room and puts the item in. A request ends the wait with `cancelled`, and the item is not put. Throws
    /// queue_shut_down once the queue is shut down.
    [[nodiscard("nothing happens until it is awaited")]] putter put(T item) { return putter(*this, std::move(item)); }

    /// Takes an item if one is there for a newcomer (Queue.get_nowait).
    [[nodiscard("the item that it takes is in it")]] std::optional<T> try_get() {
        check_loop();
        if (!has_item())
            return std::nullopt;
        return take();
    }

    /// Puts the item if there is room for a newcomer; false otherwise (Queue.put_nowait). Throws queue_shut_down.
    [[nodiscard("false: there was no room, and the item was not put")]] bool try_put(T item) {
        check_loop();
        if (shut_down_)
            throw queue_shut_down{};
        if (!has_room())
            return false;
        add(std::move(item));
        return true;
    }

    /// How many items are inside, reserved ones included.
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }

    /// Nothing more comes in: putters get queue_shut_down, getters when the items are used up. `immediately`: what is inside
    /// is dropped (Queue.shutdown).
    void shutdown(bool immediately = false) {
        check_loop();
        shut_down_ = true;
        if (immediately) {
            order_.items.clear();
            for (; size_ > 0; --size_)
                mark_done();
        }
        end_waits();
    }

    /// Says that an item that was taken has been dealt with (Queue.task_done). Throws usage_error(errc::too_many_calls) if called
    /// more often than items were put.
    void task_done() {
        if (unfinished_ == 0)
            throw_usage(errc::too_many_calls,
                        "corun::queue::task_done(): called more often than items were put; call it once for each that was taken");
        mark_done();
    }

    /// Waits until task_done() has been called for every item that was put (Queue.join).
    [[nodiscard("nothing happens until it is awaited")]] event::awaiter join() noexcept { return all_done_.wait(); }

private:
    void check_loop() const {
        getters_.waiters.check_loop();
        putters_.waiters.check_loop();
    }
    /// Wakes the tasks that can go on: also after an item whose move threw, or for which there was no memory, as the room or the item that
    /// was reserved for its task is another's then.
    class waking {
    public:
        explicit waking(basic_queue& q) noexcept : queue_(q) {}
        waking(const waking&) = delete;
        ~waking() { queue_.wake(); }

    private:
        basic_queue& queue_;
    };

    void add(T&& item) {
        const waking at_end(*this);
        order_.push(std::move(item));
        ++size_;
        ++unfinished_;
        all_done_.clear();
    }
    T take() {
        const waking at_end(*this);
        T item = order_.pop();
        --size_;
        return item;
    }
    void mark_done() {
        if (--unfinished_ == 0)
            all_done_.set();
    }

    Order order_;
    std::size_t unfinished_ = 0;
    event all_done_ = event(true);
};

template <class T, class Order>
class basic_queue<T, Order>::getter final : public queue_waiter {
public:
    explicit getter(basic_queue& q) noexcept : queue_waiter(q, false), from_(&q) {}

    bool await_ready() { return ready(); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> h, await_place where = await_place::current()) {
        suspend(suspending_task(h, where));
    }
    T await_resume() {
        check_end();
        return from_->take();
    }

private:
    basic_queue* from_;
};

template <class T, class Order>
class basic_queue<T, Order>::putter final : public queue_waiter {
public:
    putter(basic_queue& q, T&& item) : queue_waiter(q, true), to_(&q), item_(std::move(item)) {}

    bool await_ready() { return ready(); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> h, await_place where = await_place::current()) {
        suspend(suspending_task(h, where));
    }
    void await_resume() {
        check_end();
        to_->add(std::move(item_));
    }

private:
    basic_queue* to_;
    T item_;
};

}

/// Items in order of arrival (asyncio.Queue). `capacity` 0: unbounded. Strict: tasks that wait are served before newcomers.
/// Belongs to the loop of its first waiter, for life; may be made before.
template <class T>
using queue = detail::basic_queue<T, detail::first_in_first_out<T>>;

/// The item that was put last comes first (asyncio.LifoQueue).
template <class T>
using lifo_queue = detail::basic_queue<T, detail::last_in_first_out<T>>;

/// The least item comes first, by Compare (asyncio.PriorityQueue); equal ones in no particular order.
template <class T, class Compare = std::less<T>>
using priority_queue = detail::basic_queue<T, detail::least_first<T, Compare>>;

}
