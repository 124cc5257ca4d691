// traffic.hpp - what the stories with a network share: a listener that outlasts faults, and transfers that count.
#pragma once

#include "invariants.hpp"

#include <corun/corun.hpp>
#include <support/connected_pair.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <system_error>
#include <utility>

namespace testing {

/// Takes connections until the listener is closed, and hands each to `take`, a callable that takes a tcp_stream.
template <class F>
corun::task<> accepts(scene& s, corun::tcp_listener& from, F take) {
    for (;;) {
        auto taken = co_await corun::as_result(from.accept());
        if (taken)
            take(std::move(*taken));
        else if (taken.error() == std::errc::operation_canceled || taken.error() == std::errc::bad_file_descriptor)
            co_return;
        else
            s.blame(taken.error());
    }
}

/// Connects however often that fails; it does so for want of memory or descriptors only.
inline corun::task<corun::tcp_stream> connects(scene& s, corun::address to) {
    for (;;) {
        auto made = co_await corun::as_result(corun::connect(to));
        if (made)
            co_return std::move(*made);
        s.blame(made.error());
        co_await s.pause(std::chrono::milliseconds(100));
    }
}

/// Fills the buffer; false if the connection broke before, or ended, which `ended` is told.
inline corun::task<bool> fills(scene& s, corun::tcp_stream& from, std::span<std::byte> buffer, bool* ended = nullptr) {
    while (!buffer.empty()) {
        const auto count = co_await corun::as_result(from.read(buffer));
        if (!count)
            s.blame(count.error());
        else if (*count == 0 && ended)
            *ended = true;
        if (!count || *count == 0)
            co_return false;
        must(*count <= buffer.size(), "more came than there was room for");
        buffer = buffer.subspan(*count);
    }
    co_return true;
}

/// Sends all; false if the connection broke before.
inline corun::task<bool> sends(scene& s, corun::tcp_stream& to, std::span<const std::byte> data, std::size_t* sent = nullptr) {
    while (!data.empty()) {
        const auto count = co_await corun::as_result(to.write(data));
        if (!count)
            s.blame(count.error());
        if (!count)
            co_return false;
        must(*count > 0 && *count <= data.size(), "a write that took nothing, or more than there was");
        data = data.subspan(*count);
        if (sent)
            *sent += *count;
    }
    co_return true;
}

}
