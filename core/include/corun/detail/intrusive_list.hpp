// intrusive_list.hpp - doubly linked lists whose links lie in their elements: relinking is how corun wakes things.
#pragma once

#include <cstddef>

namespace corun::detail {

/// A place in one list at a time. `Tag` tells the lists of one object apart.
template <class Tag>
struct link {
    link() noexcept = default;
    link(const link&) = delete;
    link& operator=(const link&) = delete;

    bool is_linked() const noexcept { return next != nullptr; }

    void unlink() noexcept {
        previous->next = next;
        next->previous = previous;
        next = previous = nullptr;
    }

    link* previous = nullptr;
    link* next = nullptr;
};

/// A first in, first out list of T, which derives from link<Tag>. Owns nothing.
template <class T, class Tag>
class intrusive_list {
    using node = link<Tag>;

public:
    intrusive_list() noexcept { reset(); }

    bool empty() const noexcept { return head_.next == &head_; }
    T& front() noexcept { return static_cast<T&>(*head_.next); }

    void push_back(T& element) noexcept {
        node& n = element;
        // In this order GCC doesn't make one vector of two pointers, which takes longer.
        node* const last = head_.previous;
        n.next = &head_;
        last->next = &n;
        n.previous = last;
        head_.previous = &n;
    }

    void push_front(T& element) noexcept {
        node& n = element;
        n.next = head_.next;
        n.previous = &head_;
        head_.next->previous = &n;
        head_.next = &n;
    }

    T& pop_front() noexcept {
        node& first = *head_.next;
        head_.next = first.next;
        first.next->previous = &head_;
        first.next = first.previous = nullptr;
        return static_cast<T&>(first);
    }

    /// Moves all of `other` behind what is here.
    void splice_back(intrusive_list& other) noexcept {
        if (other.empty())
            return;
        other.head_.next->previous = head_.previous;
        head_.previous->next = other.head_.next;
        other.head_.previous->next = &head_;
        head_.previous = other.head_.previous;
        other.reset();
    }

    /// Calls `f(element)` for each, in order; `f` may unlink the element it is given.
    template <class F>
    void for_each(F f) {
        for (node* n = head_.next; n != &head_;) {
            node* const next = n->next;
            f(static_cast<T&>(*n));
            n = next;
        }
    }

private:
    void reset() noexcept { head_.next = head_.previous = &head_; }

    node head_;
};

}
