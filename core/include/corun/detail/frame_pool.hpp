// frame_pool.hpp - memory of coroutine frames, task states and callbacks: free lists per thread, by size class.
#pragma once

#include <array>
#include <cstddef>
#include <new>

namespace corun::detail {

struct free_block_node {
    free_block_node* next;
};

struct free_list {
    free_block_node* first = nullptr;
    std::size_t room = 0;   // how many blocks more it takes; none before the thread's end is watched, and none after it
};

/// Trivially destructible: a frame may be freed after its thread's thread-locals are gone, from a static object's destructor.
struct frame_pool {
    // Classes are 16k - 8 bytes: with malloc's 8 bytes of book-keeping each fills its chunk exactly.
    static constexpr std::size_t class_step = 16;
    static constexpr std::size_t class_count = 64;
    static constexpr std::size_t largest = class_step * class_count - 8;

    static constexpr std::size_t class_of(std::size_t size) noexcept { return (size + 8 + class_step - 1) / class_step - 1; }
    static constexpr std::size_t size_of(std::size_t size_class) noexcept { return (size_class + 1) * class_step - 8; }

    std::array<free_list, class_count> lists{};
    std::size_t live = 0;   // frames of coroutines that have begun on this thread
    bool watched = false;
};

extern constinit thread_local frame_pool this_pool;

/// What the fast paths leave over: an empty list, a full one, a large block.
void* allocate_from_system(std::size_t size);
void free_without_room(void* block, std::size_t size) noexcept;

/// Memory for small, short-lived things of the core. Throws std::bad_alloc.
inline void* allocate_block(std::size_t size) {
    if (size <= frame_pool::largest) {
        free_list& list = this_pool.lists[frame_pool::class_of(size)];
        if (free_block_node* const block = list.first) {
            list.first = block->next;
            ++list.room;
            return block;
        }
    }
    return allocate_from_system(size);
}

/// Gives it back, on any thread; `size` is what allocate_block() was given.
inline void free_block(void* block, std::size_t size) noexcept {
    if (size <= frame_pool::largest) {
        free_list& list = this_pool.lists[frame_pool::class_of(size)];
        if (list.room > 0) {
            list.first = ::new (block) free_block_node{list.first};
            --list.room;
            return;
        }
    }
    free_without_room(block, size);
}

/// Counts a frame, which is about to begin or to be destroyed. Not where it is made: until then it may go to another thread.
inline void frame_begins() noexcept { ++this_pool.live; }

/// Gives a counted frame back.
inline void free_frame(void* frame, std::size_t size) noexcept {
    --this_pool.live;
    free_block(frame, size);
}

/// Frames of coroutines that have begun on this thread and are not destroyed yet.
inline std::size_t live_frames() noexcept { return this_pool.live; }

}
