// scale.hpp - how much of a case is run: CORUN_STRESS from 1 (the default) to 100 (as written), and what sanitizers cost.
#pragma once

#include <support/os.hpp>

#include <chrono>
#include <cstddef>

#if defined(__SANITIZE_THREAD__)
#define CORUN_TEST_THREAD_SANITIZED 1
#elif defined(__SANITIZE_ADDRESS__)
#define CORUN_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CORUN_TEST_THREAD_SANITIZED 1
#elif __has_feature(address_sanitizer)
#define CORUN_TEST_SANITIZED 1
#endif
#endif

// clang's sanitizer of undefined behaviour opens a pipe to look at a type that it meets for the first time.
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
#define CORUN_TEST_NEEDS_DESCRIPTORS
#endif
#endif

namespace testing {

/// True in a build that checks each access to memory.
#if defined(CORUN_TEST_SANITIZED) || defined(CORUN_TEST_THREAD_SANITIZED)
inline constexpr bool under_sanitizer = true;
#else
inline constexpr bool under_sanitizer = false;
#endif

/// What times are multiplied with in such a build.
inline constexpr int slowdown = under_sanitizer ? 5 : 1;

/// How late a timer or a wake-up may be on an idle machine.
inline std::chrono::milliseconds late_allowance() { return os::lateness() * slowdown; }

/// CORUN_STRESS: 1 runs a hundredth of large counts, 100 all.
std::size_t stress();

/// A count above 10,000 in proportion to CORUN_STRESS, at least 1,000; a smaller one as it is. Prints what it did.
std::size_t scaled(std::size_t count);

}
