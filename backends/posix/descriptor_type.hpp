// descriptor_type.hpp - what a descriptor is, as far as a backend treats it differently.
#pragma once

#include <cstdint>

namespace corun::posix {

/// What says nothing of itself is `other`: no rule of TCP holds for it.
enum class descriptor_type : std::uint8_t {
    other,
    tcp_stream,   ///< a short read has emptied it; the error with which it ended is told again and again
    tcp_listener,
};

}
