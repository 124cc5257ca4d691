// random.hpp - the numbers that programs and schedules are made of: the same from a seed on every compiler.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace differential {

/// SplitMix64. One draw a statement: the order in which arguments are evaluated is the compiler's.
class random {
public:
    explicit random(std::uint64_t seed) noexcept : state_(seed) {}

    /// One of 0 to n - 1; n must not be 0.
    int below(int n) noexcept { return static_cast<int>(mix() % static_cast<std::uint64_t>(n)); }
    int between(int least, int most) noexcept { return least + below(most - least + 1); }
    bool one_in(int n) noexcept { return below(n) == 0; }
    int one_of(std::initializer_list<int> values) noexcept { return values.begin()[below(static_cast<int>(values.size()))]; }

private:
    std::uint64_t mix() noexcept {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return (z ^ (z >> 31)) >> 8;
    }

    std::uint64_t state_;
};

}
