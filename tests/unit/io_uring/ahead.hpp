// ahead.hpp - rings that accept and receive ahead of who asks.
#pragma once

#include <corun/io_uring.hpp>
#include <unit/seam.hpp>

#include <chrono>
#include <utility>

/// A few connections and a buffer or two.
inline corun::io_uring_options ahead(corun::io_uring_options o = corun::io_uring_options()) {
    o.accepts_ahead = 4;
    o.receives_ahead = 16384;
    return o;
}

/// True if the operation ends within five seconds.
inline bool ends(corun::backend& b, const seam::card& o) {
    const corun::time_point deadline = b.now() + std::chrono::seconds(5);
    while (!o.is_finished() && b.now() < deadline)
        seam::collect(b, deadline);
    return o.is_finished();
}
