// value_slot.hpp - room for a coroutine's value, made and destroyed by hand.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace corun::detail {

template <class T>
class value_slot {
    static_assert(alignof(T) <= 16, "corun: a task's value must not be over-aligned; return a pointer to it");

public:
    using reference = T&;
    template <class... Args>
    void emplace(Args&&... args) {
        ::new (static_cast<void*>(storage_)) T(std::forward<Args>(args)...);
    }
    T& get() noexcept { return *std::launder(reinterpret_cast<T*>(storage_)); }
    T take() { return std::move(get()); }
    void destroy() noexcept { std::destroy_at(&get()); }

private:
    alignas(T) std::byte storage_[sizeof(T)];
};

template <class T>
class value_slot<T&> {
public:
    using reference = T&;
    void emplace(T& object) noexcept { object_ = &object; }
    T& get() noexcept { return *object_; }
    T& take() noexcept { return *object_; }
    void destroy() noexcept {}

private:
    T* object_ = nullptr;
};

template <>
class value_slot<void> {
public:
    using reference = void;
    void emplace() noexcept {}
    void get() noexcept {}
    void take() noexcept {}
    void destroy() noexcept {}
};

}
