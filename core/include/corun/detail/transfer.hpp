// transfer.hpp - how one frame resumes another in place: a tail call where that is certain, else a loop at the root of the step.
#pragma once

#include <coroutine>
#include <type_traits>

namespace corun::detail {

#if defined(CORUN_SYMMETRIC_TRANSFER)
inline constexpr bool symmetric_transfer = CORUN_SYMMETRIC_TRANSFER != 0;
#elif defined(__clang__)
inline constexpr bool symmetric_transfer = true;
#elif defined(__GNUC__) && defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
inline constexpr bool symmetric_transfer = true;
#elif defined(_MSC_VER)
inline constexpr bool symmetric_transfer = true;
#else
inline constexpr bool symmetric_transfer = false;
#endif

/// Notes the frame that the step's loop resumes next.
void set_next_in_place(std::coroutine_handle<> next) noexcept;

/// What await_suspend returns when it hands over to another frame.
using transfer_result = std::conditional_t<symmetric_transfer, std::coroutine_handle<>, void>;

/// `return transfer_to(h);` from await_suspend resumes h in constant stack.
template <bool Symmetric = symmetric_transfer>
auto transfer_to(std::coroutine_handle<> h) noexcept {
    if constexpr (Symmetric)
        return h;
    else
        set_next_in_place(h);
}

/// `return transfer_to_loop();` from await_suspend goes back to the step.
template <bool Symmetric = symmetric_transfer>
auto transfer_to_loop() noexcept {
    if constexpr (Symmetric)
        return std::coroutine_handle<>(std::noop_coroutine());
}

}
