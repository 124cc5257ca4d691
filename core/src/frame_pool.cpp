// frame_pool.cpp - free lists per thread. Under AddressSanitizer nothing is recycled, so that it sees every use after free.
#include <corun/detail/frame_pool.hpp>

#include <array>
#include <new>

namespace corun::detail {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool recycle = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool recycle = false;
#else
constexpr bool recycle = true;
#endif
#else
constexpr bool recycle = true;
#endif

struct free_block_node {
    free_block_node* next;
};

// Classes are 16k - 8 bytes: with malloc's 8 bytes of book-keeping each fills its chunk exactly.
constexpr std::size_t class_step = 16;
constexpr std::size_t class_count = 64;
constexpr std::size_t largest = class_step * class_count - 8;
constexpr std::size_t cached_bytes_per_class = std::size_t(1) << 20;

constexpr std::size_t class_of(std::size_t size) noexcept { return (size + 8 + class_step - 1) / class_step - 1; }
constexpr std::size_t size_of(std::size_t size_class) noexcept { return (size_class + 1) * class_step - 8; }

struct free_list {
    free_block_node* first = nullptr;
    std::size_t room = 0;   // how many blocks more it takes; none before the thread's end is watched, and none after it
};

// Trivially destructible: a frame may be freed after this thread's thread-locals are gone, from a static object's destructor.
struct pool {
    std::array<free_list, class_count> lists{};
    std::size_t live = 0;
    bool watched = false;
};

constinit thread_local pool this_pool;

struct pool_end {
    ~pool_end() { trim_frame_pool(); }
    void touch() noexcept {}
};

thread_local pool_end this_pool_end;

/// The first block that comes back on this thread: from now on there is room, until the thread ends.
void make_room() noexcept {
    this_pool.watched = true;
    this_pool_end.touch();
    for (std::size_t i = 0; i < class_count; ++i)
        this_pool.lists[i].room = cached_bytes_per_class / size_of(i);
}

void free_without_room(void* block, free_list& list) noexcept {
    if (!this_pool.watched) {
        make_room();
        list.first = ::new (block) free_block_node{list.first};
        --list.room;
    } else {
        ::operator delete(block);
    }
}

}

void* allocate_block(std::size_t size) {
    if (!recycle || size > largest)
        return ::operator new(size);
    const std::size_t size_class = class_of(size);
    free_list& list = this_pool.lists[size_class];
    if (free_block_node* const block = list.first) {
        list.first = block->next;
        ++list.room;
        return block;
    }
    return ::operator new(size_of(size_class));
}

void free_block(void* block, std::size_t size) noexcept {
    if (!recycle || size > largest) {
        ::operator delete(block);
        return;
    }
    free_list& list = this_pool.lists[class_of(size)];
    if (list.room == 0) {
        free_without_room(block, list);
        return;
    }
    list.first = ::new (block) free_block_node{list.first};
    --list.room;
}

void* allocate_frame(std::size_t size) {
    void* const frame = allocate_block(size);
    ++this_pool.live;
    return frame;
}

void free_frame(void* frame, std::size_t size) noexcept {
    --this_pool.live;
    free_block(frame, size);
}

std::size_t live_frames() noexcept { return this_pool.live; }

void trim_frame_pool() noexcept {
    for (free_list& list : this_pool.lists) {
        while (free_block_node* const block = list.first) {
            list.first = block->next;
            ::operator delete(block);
        }
        list.room = 0;
    }
}

}
