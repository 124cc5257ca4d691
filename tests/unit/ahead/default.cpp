// The default backend of the program that runs the suite with connections accepted and bytes received ahead.
#include <corun/io_uring.hpp>

std::unique_ptr<corun::backend> corun::make_default_backend() {
    io_uring_options options;
    options.accepts_ahead = 4;
    options.receives_ahead = 8192;
    return make_io_uring(options);
}
