// choices.hpp - one stream of choices for a whole run: drawn from a seed or taken from a list, and written down.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace corun::sim {

class choices {
public:
    void begin(std::uint64_t seed) noexcept { state_ = seed; }
    void replay(std::vector<std::uint32_t> list) noexcept {
        list_ = std::move(list);
        from_list_ = true;
    }

    /// One of 0 to n - 1. Nothing is drawn where there is no choice.
    std::uint32_t below(std::uint32_t n) {
        if (n <= 1)
            return 0;
        const std::uint32_t value = from_list_ ? next_in_list() % n : static_cast<std::uint32_t>(mix() % n);
        made_.push_back(value);
        return value;
    }

    /// True one time in n; never for 0. The choice 0 is "no", so that a list of zeros is a run without faults.
    bool one_in(std::uint32_t n) { return n == 1 || (n > 1 && below(n) == n - 1); }

    const std::vector<std::uint32_t>& made() const noexcept { return made_; }

private:
    /// SplitMix64: the same on every compiler.
    std::uint64_t mix() noexcept {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return (z ^ (z >> 31)) >> 8;
    }
    std::uint32_t next_in_list() noexcept { return next_ < list_.size() ? list_[next_++] : 0; }

    std::uint64_t state_ = 0;
    bool from_list_ = false;
    std::vector<std::uint32_t> list_;
    std::size_t next_ = 0;
    std::vector<std::uint32_t> made_;
};

}
