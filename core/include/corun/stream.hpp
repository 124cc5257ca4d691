// stream.hpp - whole amounts over any stream: read_exactly, write_all.
#pragma once

#include <corun/buffer.hpp>
#include <corun/task.hpp>

#include <cstddef>
#include <exception>
#include <span>

namespace corun {

/// The stream ended before all bytes had come (asyncio.IncompleteReadError).
class end_of_stream : public std::exception {
public:
    end_of_stream(std::size_t received, std::size_t expected) noexcept : received_(received), expected_(expected) {}

    /// How many bytes had come; they are in the buffer.
    std::size_t received() const noexcept { return received_; }
    std::size_t expected() const noexcept { return expected_; }
    const char* what() const noexcept override { return "corun: the stream ended before all bytes had come"; }

private:
    std::size_t received_;
    std::size_t expected_;
};

/// Reads until the buffer is full (StreamReader.readexactly). Throws end_of_stream if the end comes first.
template <class Stream>
task<> read_exactly(Stream& stream, bytes buffer) {
    std::size_t received = 0;
    while (received < buffer.size()) {
        const std::size_t count = co_await stream.read(buffer.subspan(received));
        if (count == 0)
            throw end_of_stream(received, buffer.size());
        received += count;
    }
}

/// For the compiler's text only.
template <class Stream, detail::memory_of_others Memory>
task<> read_exactly(Stream&, Memory&&) {
    static_assert(!detail::memory_of_others<Memory>,
                  "corun: read_exactly() takes corun::bytes: read_exactly(stream, as_writable_bytes(memory))");
    co_return;
}

/// Writes all of `data`. `sent`, if given, counts what the system has taken, also when this ends with an exception.
template <class Stream>
task<> write_all(Stream& stream, const_bytes data, std::size_t* sent = nullptr) {
    if (sent)
        *sent = 0;
    while (!data.empty()) {
        const std::size_t count = co_await stream.write(data);
        data = data.subspan(count);
        if (sent)
            *sent += count;
    }
}

/// Writes all of several buffers, in order. The list is lent as the buffers are.
template <class Stream>
task<> write_all(Stream& stream, std::span<const const_bytes> data, std::size_t* sent = nullptr) {
    if (sent)
        *sent = 0;
    std::size_t offset = 0;   // how much of the first buffer has been sent
    while (!data.empty()) {
        std::size_t count = 0;
        if (offset != 0)
            count = co_await stream.write(data.front().subspan(offset));
        else
            count = co_await stream.write(data);
        if (sent)
            *sent += count;
        offset += count;
        while (!data.empty() && offset >= data.front().size()) {
            offset -= data.front().size();
            data = data.subspan(1);
        }
    }
}

/// For the compiler's text only.
template <class Stream, detail::memory_of_others Memory>
task<> write_all(Stream&, Memory&&, std::size_t* = nullptr) {
    static_assert(!detail::memory_of_others<Memory>, "corun: write_all() takes corun::const_bytes: write_all(stream, as_bytes(text))");
    co_return;
}

}
