// buffer_test.cpp - texts, arrays and containers as the memory that is read into and written from.
#include <corun/buffer.hpp>
#include <support/catch.hpp>

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

using namespace corun;

namespace {

/// Whether the memory begins at this object and has so many bytes.
template <class Bytes, class T>
bool covers(Bytes memory, const T* first, std::size_t size) {
    return static_cast<const void*>(memory.data()) == first && memory.size() == size;
}

template <class Memory>
concept can_be_written_to = requires(Memory& m) { as_writable_bytes(m); };

}

TEST_CASE("as_bytes is the memory of a text, without the zero at its end") {
    const std::string text = "hello";
    CHECK(covers(as_bytes(text), text.data(), 5));
    const std::string_view part = std::string_view(text).substr(1, 3);
    CHECK(covers(as_bytes(part), part.data(), 3));
    CHECK(as_bytes("hello").size() == 5);
    CHECK(as_bytes(std::string_view()).empty());
}

TEST_CASE("as_bytes is the memory of all elements of an array, a vector or a span") {
    const std::array<int, 4> numbers = {1, 2, 3, 4};
    CHECK(covers(as_bytes(numbers), numbers.data(), 4 * sizeof(int)));
    const std::vector<char> letters(7, 'x');
    CHECK(covers(as_bytes(letters), letters.data(), 7));
    const std::span<const int> some = std::span(numbers).subspan(2);
    CHECK(covers(as_bytes(some), some.data(), 2 * sizeof(int)));
    CHECK(covers(corun::as_bytes(some), some.data(), 2 * sizeof(int)));
}

TEST_CASE("as_writable_bytes is the memory to read into, as long as the text or the container is now") {
    std::string text(9, '-');
    const bytes memory = as_writable_bytes(text);
    CHECK(covers(memory, text.data(), 9));
    memory.front() = std::byte('a');
    memory.back() = std::byte('z');
    CHECK(text == "a-------z");

    char head[4];
    CHECK(covers(as_writable_bytes(head), head, 4));
    std::vector<int> numbers(3);
    CHECK(covers(as_writable_bytes(numbers), numbers.data(), 3 * sizeof(int)));
    CHECK(covers(as_writable_bytes(std::span(numbers).first(2)), numbers.data(), 2 * sizeof(int)));
    std::string none;
    CHECK(as_writable_bytes(none).empty());
}

TEST_CASE("nothing is read into what is constant") {
    CHECK(can_be_written_to<std::string>);
    CHECK(!can_be_written_to<const std::string>);
    CHECK(!can_be_written_to<const std::vector<int>>);
    CHECK(!can_be_written_to<const char[6]>);
}

TEST_CASE("as_text is the same memory as a text") {
    const std::string text = "hello";
    const std::string_view again = as_text(as_bytes(text));
    CHECK(again == "hello");
    CHECK(static_cast<const void*>(again.data()) == text.data());
}
