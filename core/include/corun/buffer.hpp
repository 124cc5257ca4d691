// buffer.hpp - what is read into and written from: spans of std::byte.
#pragma once

#include <concepts>
#include <cstddef>
#include <ranges>
#include <span>
#include <string_view>
#include <type_traits>

namespace corun {

/// Memory to read into. Lent to the operation until its answer (ownership: see docs/architecture.md, "Buffers").
using bytes = std::span<std::byte>;

/// Memory to write from. Lent to the operation until its answer.
using const_bytes = std::span<const std::byte>;

/// The bytes of a text, without a terminating zero.
inline const_bytes as_bytes(std::string_view text) noexcept { return {reinterpret_cast<const std::byte*>(text.data()), text.size()}; }

/// The bytes of an array, a span or a contiguous container of trivially copyable elements: std::vector<char>, std::array<int, 4>. Of a span
/// an unqualified call is std::as_bytes, which gives the same.
template <std::ranges::contiguous_range Range>
    requires(!std::convertible_to<Range, std::string_view> && std::ranges::sized_range<Range>)
const_bytes as_bytes(const Range& elements) noexcept {
    return std::as_bytes(std::span(elements));
}

/// The memory of a text, an array or a container, to read into: std::string (up to its size()), char[], std::vector<char>.
template <std::ranges::contiguous_range Range>
    requires(std::ranges::sized_range<Range> && !std::is_const_v<std::remove_reference_t<std::ranges::range_reference_t<Range>>>)
bytes as_writable_bytes(Range&& elements) noexcept {
    return std::as_writable_bytes(std::span(elements));
}

namespace detail {

/// Memory that is not one of bytes, as a text, char[] and std::vector<int>: given where bytes are taken, it is a mistake that as_bytes() or
/// as_writable_bytes() mends.
template <class Range>
concept memory_of_others = std::ranges::contiguous_range<Range> && !std::convertible_to<Range, const_bytes> &&
                           !std::convertible_to<Range, std::span<const bytes>> && !std::convertible_to<Range, std::span<const const_bytes>>;

}

/// The bytes as text; the view refers to the same memory.
inline std::string_view as_text(const_bytes data) noexcept { return {reinterpret_cast<const char*>(data.data()), data.size()}; }

}
