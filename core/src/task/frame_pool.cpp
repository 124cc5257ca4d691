// frame_pool.cpp - where blocks come from and go to. Under AddressSanitizer nothing is recycled, so that it sees every use after free.
#include <corun/detail/frame_pool.hpp>

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

constexpr std::size_t cached_bytes_per_class = std::size_t(1) << 20;

/// Gives what the free lists of a thread hold back to the system when it ends.
struct pool_end {
    ~pool_end() {
        for (free_list& list : this_pool.lists) {
            while (free_block_node* const block = list.first) {
                list.first = block->next;
                ::operator delete(block);
            }
            list.room = 0;
        }
    }
    void touch() noexcept {}
};

thread_local pool_end this_pool_end;

/// The first block that comes back on this thread: from now on there is room, until the thread ends.
void make_room() noexcept {
    this_pool.watched = true;
    this_pool_end.touch();
    for (std::size_t i = 0; i < frame_pool::class_count; ++i)
        this_pool.lists[i].room = cached_bytes_per_class / frame_pool::size_of(i);
}

}

constinit thread_local frame_pool this_pool;

void* allocate_from_system(std::size_t size) {
    // The whole class, whatever is recycled: a block may be freed by code that was compiled otherwise.
    return ::operator new(size <= frame_pool::largest ? frame_pool::size_of(frame_pool::class_of(size)) : size);
}

void free_without_room(void* block, std::size_t size) noexcept {
    if (recycle && size <= frame_pool::largest && !this_pool.watched) {
        make_room();
        free_block(block, size);
    } else {
        ::operator delete(block);
    }
}

}
