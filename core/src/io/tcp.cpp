// tcp.cpp - making listeners and connections.
#include <corun/tcp.hpp>

namespace corun {
namespace {

socket_type type_for(const address& a) noexcept { return a.family() == address_family::ipv6 ? socket_type::tcp_v6 : socket_type::tcp_v4; }

[[noreturn]] void fail(std::error_code error, const char* what, const address& where) {
    throw std::system_error(error, std::string("corun: ") + what + ' ' + where.to_string());
}

/// One step of making a listener.
void must(const detail::io_object& o, control_request& r, const char* what, const address& where) {
    if (const std::error_code error = o.control(r))
        fail(error, what, where);
}

void set(const detail::io_object& o, socket_option option, bool on, const char* what, const address& where) {
    control_request r(control_kind::set_option);
    r.option = option;
    r.value = on;
    must(o, r, what, where);
}

}

tcp_listener tcp_listener::bind(const address& where, const listen_options& options) {
    detail::loop_core& core = detail::this_core_or_guests();
    if (where.family() == address_family::none)
        fail(std::make_error_code(std::errc::address_family_not_supported), "bind to", where);
    const result<handle> opened = core.backend->open(type_for(where));
    if (!opened)
        fail(opened.error(), "open a socket for", where);

    detail::io_object object(core, *opened);
    if (options.reuse_address)
        set(object, socket_option::reuse_address, true, "set reuse_address for", where);
    if (options.reuse_port)
        set(object, socket_option::reuse_port, true, "set reuse_port for", where);
    if (options.nodelay)   // what it accepts inherits it
        set(object, socket_option::nodelay, true, "set nodelay for", where);
    if (where.family() == address_family::ipv6)
        set(object, socket_option::v6_only, options.v6_only, "set v6_only for", where);

    address bound = where;
    control_request bind_request(control_kind::bind);
    bind_request.where = &bound;
    must(object, bind_request, "bind to", where);
    control_request listen_request(control_kind::listen);
    listen_request.value = options.backlog;
    must(object, listen_request, "listen on", where);
    return tcp_listener(std::move(object));
}

detail::accept_queue& tcp_listener::queue() const {
    if (!queue_)
        throw std::system_error(std::make_error_code(std::errc::bad_file_descriptor), "corun: this tcp_listener was moved from");
    return *queue_;
}

void tcp_listener::drop() noexcept {
    if (!queue_)
        return;
    (void)queue_->close();
    std::exchange(queue_, nullptr)->release();
}

namespace detail {

submitted connect_awaiter::start(loop_core& core) noexcept {
    if (where_.family() == address_family::none) {
        finish(native_code(std::errc::address_family_not_supported));
        return submitted::finished;
    }
    const result<handle> opened = core.backend->open(type_for(where_));
    if (!opened) {
        finish(opened.error().value());
        return submitted::finished;
    }
    socket_ = io_object(core, *opened);
    if (options_.nodelay) {
        control_request r(control_kind::set_option);
        r.option = socket_option::nodelay;
        r.value = 1;
        if (const std::error_code refused = socket_.control(r)) {
            finish(refused.value());
            return submitted::finished;
        }
    }
    target = *opened;
    to = &where_;
    return core.backend->submit(*this);
}

}

}
