// pattern.cpp - see pattern.hpp.
#include "pattern.hpp"

#include "random.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace differential {
namespace {

constexpr std::size_t period = 65521;   // a prime: no buffer's size hides a shift
constexpr std::size_t most = 1 << 20;

const std::vector<std::byte>& table() {
    static const std::vector<std::byte> bytes = [] {
        std::vector<std::byte> made(period + most);
        random draw(1);
        for (std::size_t i = 0; i < period; ++i)
            made[i] = static_cast<std::byte>(draw.below(256));
        for (std::size_t i = period; i < made.size(); ++i)
            made[i] = made[i - period];
        return made;
    }();
    return bytes;
}

}

corun::const_bytes pattern(int end, std::int64_t offset, std::size_t count) {
    const std::size_t first = (static_cast<std::size_t>(end) * 9973 + static_cast<std::size_t>(offset)) % period;
    return corun::const_bytes(table()).subspan(first, std::min(count, most));
}

std::int64_t first_wrong(int end, std::int64_t offset, corun::const_bytes came) {
    const corun::const_bytes right = pattern(end, offset, came.size());
    if (std::memcmp(right.data(), came.data(), came.size()) == 0)
        return -1;
    return offset + (std::mismatch(came.begin(), came.end(), right.begin()).first - came.begin());
}

}
