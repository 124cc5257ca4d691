// io_object.cpp - handles' ends and their small requests.
#include <corun/detail/inbox.hpp>
#include <corun/detail/io_object.hpp>

namespace corun::detail {

io_object::io_object(loop_core& core, handle h) noexcept : box_(core.box), target_{h, core.id} {
    box_->add_reference();
    ++core.open_handles;
}

io_object::~io_object() {
    (void)close();
    if (box_)
        box_->release();
}

loop_core* io_object::core() const noexcept { return target_.where ? box_->core() : nullptr; }

std::error_code io_object::close() noexcept {
    loop_core* const c = core();
    const handle h = target_.where;
    forget();
    if (!c)
        return {};   // closed before, or together with its loop
    c->ask_backend();
    const std::error_code error = c->engine->close(h);
    // Accepts that wait for a descriptor may have this one (8.6).
    ++c->handles_closed;
    c->ready.splice_back(c->starved);
    return error;
}

void io_object::forget() noexcept {
    if (loop_core* const c = core())
        --c->open_handles;
    target_ = {};
}

std::error_code io_object::control(control_request& r) const noexcept {
    loop_core* const c = core();
    if (!c)
        return std::make_error_code(std::errc::bad_file_descriptor);
    if (r.kind == control_kind::release)
        c->ask_backend();
    return c->engine->control(target_.where, r);
}

void io_object::must(control_request& r, const char* title) const {
    if (const std::error_code error = control(r))
        throw std::system_error(error, title);
}

int io_object::option(socket_option o, const char* title) const {
    control_request r(control_kind::get_option);
    r.option = o;
    must(r, title);
    return r.value;
}

void io_object::set_option(socket_option o, int value, const char* title) const {
    control_request r(control_kind::set_option);
    r.option = o;
    r.value = value;
    must(r, title);
}

address io_object::local_address() const {
    address a;
    control_request r(control_kind::local_address);
    r.where = &a;
    must(r, "corun: local_address");
    return a;
}

address io_object::remote_address() const {
    address a;
    control_request r(control_kind::remote_address);
    r.where = &a;
    must(r, "corun: remote_address");
    return a;
}

native_handle io_object::native() const {
    control_request r(control_kind::native);
    must(r, "corun: native");
    return r.native;
}

native_handle io_object::release() {
    control_request r(control_kind::release);
    must(r, "corun: release");
    forget();
    return r.native;
}

io_object adopt_handle(native_handle native, handle_kind kind, const char* title) {
    loop_core& core = this_core();
    const result<handle> adopted = core.engine->adopt(native, kind);
    if (!adopted)
        throw std::system_error(adopted.error(), title);
    return io_object(core, *adopted);
}

}
