// buffer.hpp - what is read into and written from: spans of std::byte.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace corun {

/// Memory to read into. Lent to the operation until its answer (ownership: see docs/architecture.md, "Buffers").
using bytes = std::span<std::byte>;

/// Memory to write from. Lent to the operation until its answer.
using const_bytes = std::span<const std::byte>;

/// The bytes of a text, without a terminating zero.
inline const_bytes as_bytes(std::string_view text) noexcept { return {reinterpret_cast<const std::byte*>(text.data()), text.size()}; }

/// The bytes of a span of trivially copyable elements, to write from.
template <class T, std::size_t Extent>
const_bytes as_bytes(std::span<T, Extent> elements) noexcept {
    return std::as_bytes(elements);
}

/// The bytes as text; the view refers to the same memory.
inline std::string_view as_text(const_bytes data) noexcept { return {reinterpret_cast<const char*>(data.data()), data.size()}; }

}
