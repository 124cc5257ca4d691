// input.hpp - the bytes of a fuzzer's input, taken as small numbers; after the end every number is 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace fuzz {

class input {
public:
    explicit input(std::span<const std::uint8_t> all) noexcept : rest_(all) {}

    bool is_empty() const noexcept { return rest_.empty(); }

    /// One of 0 to n - 1.
    unsigned below(unsigned n) noexcept {
        if (rest_.empty())
            return 0;
        const unsigned value = rest_.front() % n;
        rest_ = rest_.subspan(1);
        return value;
    }

    bool one_in(unsigned n) noexcept { return below(n) == n - 1; }

    std::span<const std::uint8_t> rest() const noexcept { return rest_; }

private:
    std::span<const std::uint8_t> rest_;
};

/// Ends the program, as a sanitizer does, if what must hold does not.
void must(bool holds, const char* what) noexcept;

}

/// What each target defines.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
