// asio_test.cpp - what Asio has instead of a descriptor to wait on.
#include <unit/seam.hpp>

#include <corun/asio.hpp>

#include <asio/io_context.hpp>

using namespace seam;
using namespace std::chrono_literals;

TEST_CASE("Asio: block() on another thread returns with the news and takes none of it") { check_block_without_handle(*make_asio()); }

TEST_CASE("Asio: block() does not run the handlers of a context that is borrowed") {
    asio::io_context context;
    make_asio(context)->block(time_point::max());
}
