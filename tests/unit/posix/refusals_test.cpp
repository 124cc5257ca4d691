// refusals_test.cpp - what tries and synchronous calls on descriptors answer where the system, or the room itself, refuses.
#include <posix/attempt.hpp>
#include <posix/socket.hpp>
#include <support/allocations.hpp>
#include <support/catch.hpp>
#include <unit/seam.hpp>

#include <system_error>

using namespace corun;
using namespace seam;

namespace {

constexpr int not_open = -1;

std::error_code control(int descriptor, control_request r) { return posix::control_socket(descriptor, r); }

}

TEST_CASE("a kind that is the backend's own, or unknown, is no try of a descriptor's") {
    const fd s = plain_socket();
    for (const auto kind : {operation_kind::close, static_cast<operation_kind>(200)}) {
        card o(kind, handle());
        CHECK(posix::attempt(s.get(), o) == posix::attempted::finished);
        CHECK(o.error_code() == std::errc::operation_not_supported);
    }
}

TEST_CASE("tries of a descriptor that is not open end with the system's error") {
    address where = address::loopback(1);
    for (const auto kind :
         {operation_kind::read, operation_kind::write, operation_kind::accept, operation_kind::connect, operation_kind::shutdown}) {
        card o(kind, handle());
        if (kind == operation_kind::connect)
            o.to = &where;
        CHECK(posix::attempt(not_open, o) == posix::attempted::finished);
        CHECK(o.error_code() == std::errc::bad_file_descriptor);
    }
    card started(operation_kind::connect, handle());
    started.to = &where;
    started.begun = true;   // as after a connect that has to wait
    CHECK(posix::attempt(not_open, started) == posix::attempted::finished);
    CHECK(started.error_code() == std::errc::bad_file_descriptor);
}

TEST_CASE("what a socket can't be asked, or has none of, is an error") {
    const fd s = plain_socket();
    CHECK(control(s.get(), control_request(control_kind::release)) == std::errc::operation_not_supported);
    CHECK(control(s.get(), control_request(static_cast<control_kind>(200))) == std::errc::operation_not_supported);
    control_request option(control_kind::set_option);
    option.option = static_cast<socket_option>(200);
    CHECK(control(s.get(), option) == std::errc::no_protocol_option);
    CHECK(control(not_open, control_request(control_kind::get_option)) == std::errc::bad_file_descriptor);
    address where;
    control_request name(control_kind::remote_address);
    name.where = &where;
    CHECK(control(s.get(), name) == std::errc::not_connected);
}

TEST_CASE("no address has no native form, and a native one of another family, or cut short, is none") {
    CHECK(common::native_address(address()).size == 0);
    const address known = address::loopback(7);
    common::native_address native(known);
    CHECK(native.portable() == known);
    native.size = sizeof native.any.sa_family;
    CHECK(native.portable() == address());
    common::native_address local;
    local.any.sa_family = AF_UNIX;
    CHECK(local.portable() == address());
}

TEST_CASE("without memory for its record no socket is opened, taken over or accepted") {
    if (!testing::allocations_are_counted)
        return;
    const auto b = make_epoll();
    const fd plain = plain_listener();
    {
        const testing::failing_allocation first(1);
        CHECK(b->adopt(plain.get(), handle_kind::tcp_listener).error() == std::errc::not_enough_memory);
    }
    const int number = ::dup(plain.get());
    const auto listener = b->adopt(number, handle_kind::tcp_listener);
    REQUIRE(listener);
    for (bool has_room = true; has_room;) {   // until every record that there is stands for a socket
        const testing::failing_allocation next(1);
        const auto opened = b->open(socket_type::tcp_v4);
        has_room = opened.has_value();
        if (!has_room)
            CHECK(opened.error() == std::errc::not_enough_memory);
    }
    const fd client = plain_connect(name_of(plain.get()));
    wait_readable(plain.get());
    card accepts(operation_kind::accept, *listener);
    {
        const testing::failing_allocation record(1);
        CHECK(b->submit(accepts) == submitted::finished);
    }
    CHECK(accepts.error_code() == std::errc::not_enough_memory);
    card again(operation_kind::accept, *listener);
    CHECK(b->submit(again) == submitted::finished);   // the connection was left where it was
    CHECK(again.error == 0);
}
