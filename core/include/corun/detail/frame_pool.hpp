// frame_pool.hpp - memory of coroutine frames, task states and callbacks: free lists per thread, by size class.
#pragma once

#include <cstddef>

namespace corun::detail {

/// Memory for a coroutine frame, counted in live_frames(). Throws std::bad_alloc.
void* allocate_frame(std::size_t size);

/// Gives a frame back, on any thread; `size` is what allocate_frame was given.
void free_frame(void* frame, std::size_t size) noexcept;

/// Memory for other small, short-lived things of the core; from the same lists, not counted.
void* allocate_block(std::size_t size);
void free_block(void* block, std::size_t size) noexcept;

/// Coroutine frames that were allocated on this thread and not given back yet.
std::size_t live_frames() noexcept;

/// The end of this thread: gives what its free lists hold back to the system, and keeps nothing from now on.
void trim_frame_pool() noexcept;

}
