// stack_meter.hpp - how deep the stack got.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#if defined(_MSC_VER)
#include <intrin.h>
#endif

namespace testing {

/// Measures from where it was made to the deepest sample(). A case for constant stack samples in each of many steps;
/// the true stack, not the one on which a sanitizer keeps locals.
class stack_meter {
public:
    stack_meter() noexcept : from_(here()) {}

    void sample() noexcept {
        const std::uintptr_t at = here();
        most_ = std::max<std::size_t>(most_, at > from_ ? at - from_ : from_ - at);
    }
    std::size_t most() const noexcept { return most_; }

    /// What a loop, a step and a handful of calls may take in any build; a frame a step of a thousand is more.
    static constexpr std::size_t enough = 32 * 1024;

private:
#if defined(_MSC_VER)
    static std::uintptr_t here() noexcept { return reinterpret_cast<std::uintptr_t>(_AddressOfReturnAddress()); }
#else
    [[gnu::noinline]] static std::uintptr_t here() noexcept { return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)); }
#endif

    std::uintptr_t from_;
    std::size_t most_ = 0;
};

}
