// io_uring_ahead.cpp - the default backend of an echo server: io_uring with connections accepted and bytes received ahead.
#include <corun/io_uring.hpp>

std::unique_ptr<corun::backend> corun::make_default_backend() {
    io_uring_options options;
    options.accepts_ahead = 16;
    options.receives_ahead = 65536;
    return make_io_uring(options);
}
