#include <support/scale.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace testing {

std::size_t stress() {
    const char* const text = std::getenv("CORUN_STRESS");
    const unsigned long value = text ? std::strtoul(text, nullptr, 10) : 1;
    return std::clamp<std::size_t>(value, 1, 100);
}

std::size_t scaled(std::size_t count) {
    if (count <= 10'000 || stress() == 100)
        return count;
    const std::size_t less = std::max<std::size_t>(count * stress() / 100, 1'000);
    std::printf("scaled: %zu of %zu (CORUN_STRESS=%zu)\n", less, count, stress());
    return less;
}

}
