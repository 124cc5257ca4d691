#include <support/allocations.hpp>
#include <support/os.hpp>
#include <support/scale.hpp>

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

[[maybe_unused]] void* allocate_or_null(std::size_t size) noexcept {
    try {
        return allocate(size);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

[[maybe_unused]] void release(void* block) noexcept {
    if (!block)
        return;
    bytes -= testing::os::allocation_size(block);
    std::free(block);
}

}

// ThreadSanitizer's own can't be replaced when its runtime is linked statically.
#if !defined(CORUN_TEST_THREAD_SANITIZED)
// The forms for over-aligned types are left as they are: nothing here counts on them.
void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate_or_null(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate_or_null(size); }
void operator delete(void* block) noexcept { release(block); }
void operator delete[](void* block) noexcept { release(block); }
void operator delete(void* block, std::size_t) noexcept { release(block); }
void operator delete[](void* block, std::size_t) noexcept { release(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { release(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { release(block); }
#endif

namespace testing {

#if defined(CORUN_TEST_THREAD_SANITIZED)
const bool allocations_are_counted = false;
#else
const bool allocations_are_counted = true;
#endif

std::size_t allocated_bytes() noexcept { return bytes; }

failing_allocation::failing_allocation(std::size_t nth) noexcept {
    until_failure = nth;
    failed = false;
}

failing_allocation::~failing_allocation() { until_failure = 0; }

bool failing_allocation::has_failed() const noexcept { return failed; }

}
