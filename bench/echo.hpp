// echo.hpp - what the echo servers have in common: `echo_<name> CONNECTIONS` listens on a free loopback port, prints it,
// serves so many connections until they are closed, and ends.
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>

namespace bench {

/// Each connection has a buffer of its own, of this size.
inline constexpr std::size_t echo_buffer = 16 * 1024;

inline int connections_to_serve(int argc, char** argv) { return argc > 1 ? std::atoi(argv[1]) : 1; }

inline void announce(unsigned port) {
    std::printf("%u\n", port);
    std::fflush(stdout);
}

}
