#include <support/allocations.hpp>
#include <support/os.hpp>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> bytes = 0;
thread_local std::size_t until_failure = 0;   // 0: none will fail
thread_local bool failed = false;

void* allocate(std::size_t size) {
    if (until_failure != 0 && --until_failure == 0) {
        failed = true;
        throw std::bad_alloc();
    }
    void* const block = std::malloc(size == 0 ? 1 : size);
    if (!block)
        throw std::bad_alloc();
    bytes += testing::os::allocation_size(block);
    return block;
}

void release(void* block) noexcept {
    if (!block)
        return;
    bytes -= testing::os::allocation_size(block);
    std::free(block);
}

}

// The forms for over-aligned types are left as they are: nothing here counts on them.
void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* block) noexcept { release(block); }
void operator delete[](void* block) noexcept { release(block); }
void operator delete(void* block, std::size_t) noexcept { release(block); }
void operator delete[](void* block, std::size_t) noexcept { release(block); }

namespace testing {

std::size_t allocated_bytes() noexcept { return bytes; }

failing_allocation::failing_allocation(std::size_t nth) noexcept {
    until_failure = nth;
    failed = false;
}

failing_allocation::~failing_allocation() { until_failure = 0; }

bool failing_allocation::has_failed() const noexcept { return failed; }

}
