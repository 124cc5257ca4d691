// pattern.hpp - the bytes that an end sends: each is known by the end and its place.
#pragma once

#include <corun/buffer.hpp>

#include <cstddef>
#include <cstdint>

namespace differential {

/// Up to `count` bytes, fewer only past a million.
corun::const_bytes pattern(int end, std::int64_t offset, std::size_t count);

/// The first place where `came` is not what this end sends from `offset` on; -1 if there is none.
std::int64_t first_wrong(int end, std::int64_t offset, corun::const_bytes came);

}
