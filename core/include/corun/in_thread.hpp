// in_thread.hpp - waiting for somebody else's std::future. The way back is submit().
#pragma once

#include <corun/to_thread.hpp>

#include <future>
#include <utility>

namespace corun {

/// Waits for a std::future on a pool thread, since it has no better way, and gives its value or rethrows its exception. Cancelled: as
/// to_thread(): it is waited for; `abandon(in_thread(...))` ends the wait at once, and leaves the pool's thread to it.
template <class T>
auto in_thread(std::future<T> f) {
    return to_thread([f = std::move(f)]() mutable { return f.get(); });
}

}
