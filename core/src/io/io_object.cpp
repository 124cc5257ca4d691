// io_object.cpp - handles' ends and their small requests.
#include <corun/detail/inbox.hpp>
#include <corun/detail/io_object.hpp>

#include <string>

namespace corun::detail {
namespace {

/// Accepts that wait for a descriptor may have this one (8.6).
void note_closed(loop_core& core) noexcept {
    ++core.figures.handles_closed;
    core.ready.splice_back(core.starved);
}

}

io_object::io_object(loop_core& core, handle h) noexcept : inbox_(core.inbox), target_{h, core.id} {
    inbox_->add_reference();
    ++core.figures.open_handles;
}

io_object::~io_object() {
    (void)close();
    if (inbox_)
        inbox_->release();
}

loop_core* io_object::core() const noexcept { return target_.where ? inbox_->core() : nullptr; }

std::error_code io_object::close() noexcept {
    loop_core* const c = core();
    const handle h = give_away();
    if (!c)
        return {};   // closed before, or together with its loop
    c->ask_backend();
    const std::error_code error = c->backend->close(h);
    note_closed(*c);
    return error;
}

handle io_object::give_away() noexcept {
    const handle h = target_.where;
    forget();
    return h;
}

void io_object::forget() noexcept {
    if (loop_core* const c = core())
        --c->figures.open_handles;
    target_ = {};
}

std::error_code io_object::control(control_request& r) const noexcept {
    loop_core* const c = core();
    if (!c)
        return std::make_error_code(std::errc::bad_file_descriptor);
    if (r.kind == control_kind::release)
        c->ask_backend();
    return c->backend->control(target_.where, r);
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
    // Systems differ: some refuse it, some take it for the largest.
    if ((o == socket_option::receive_buffer || o == socket_option::send_buffer) && value < 1)
        throw std::system_error(std::make_error_code(std::errc::invalid_argument), std::string(title) + ": a size of less than 1 byte");
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
    loop_core& core = this_core_or_guests();
    const result<handle> adopted = core.backend->adopt(native, kind);
    if (!adopted && adopted.error() == std::errc::device_or_resource_busy)
        throw std::system_error(adopted.error(),
                                std::string(title) + ": an object of this loop has the descriptor already; adopt a duplicate (dup)");
    if (!adopted)
        throw std::system_error(adopted.error(), title);
    return io_object(core, *adopted);
}

submitted close_awaiter::start(loop_core& core) noexcept {
    if (!object_.is_open()) {   // closed before, or together with its loop
        finish(0);
        return submitted::finished;
    }
    target = object_.give_away();
    core.ask_backend();
    const submitted s = core.backend->submit(*this);
    if (s == submitted::finished)
        note_closed(core);
    else
        arm_deadline(core);
    return s;
}

void close_awaiter::value() noexcept {
    if (core_)
        note_closed(*core_);
    end_deadline();
}

void close_awaiter::arm_deadline(loop_core& core) noexcept {
    core_ = &core;
    try {
        if (deadline_ != no_deadline)
            core.arm(timer_, deadline_, core.now());
    } catch (const std::bad_alloc&) {
        core.schedule(expiry_);   // no memory for a timer: not without a bound
    }
}

void close_awaiter::end_deadline() noexcept {
    if (expiry_.is_linked())
        expiry_.unlink();
    if (core_ && timer_.is_armed())
        core_->disarm(timer_);
    core_ = nullptr;
}

void close_awaiter::expiry::come(entry& e, loop* turning) noexcept {
    close_awaiter& a = static_cast<expiry&>(e).closing;
    if (!turning || a.state != operation_state::pending)
        return;
    a.is_expired_ = true;
    a.core_->ask_backend();
    a.core_->backend->cancel(a);
}

}
