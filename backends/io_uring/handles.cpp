// handles.cpp - sockets: made, taken over, asked, closed.
#include "io_uring_backend.hpp"

#include "../posix/sockets.hpp"

#include <utility>

namespace corun::uring {

result<handle> io_uring_backend::open(socket_type type) noexcept { return posix::open_handle(records_, type, binding()); }

result<handle> io_uring_backend::adopt(native_handle native, handle_kind kind) noexcept {
    const result<handle> adopted = posix::adopt_handle(records_, native, kind, binding());
    if (adopted)
        records_.at(adopted->index).is_adopted = true;
    return adopted;
}

std::error_code io_uring_backend::control(handle h, control_request& request) noexcept {
    record* const r = records_.find(h);
    if (!r)
        return {EBADF, std::system_category()};
    if (request.kind == control_kind::release)
        return release(*r, request.native);
    return posix::control_socket(r->fd, request);
}

std::error_code io_uring_backend::release(record& r, native_handle& native) noexcept {
    if (!r.are_free())
        return {EBUSY, std::system_category()};
    // What the kernel has handed over can't be given back to it: it is to be accepted, or read, first.
    stop_standing(r);
    if ((r.accepts && !r.accepts->is_empty()) || (r.receives && (!r.receives->bytes.is_empty() || r.receives->error)))
        return {EBUSY, std::system_category()};
    native = std::exchange(r.fd, -1);
    (void)end(r);
    return {};
}

std::error_code io_uring_backend::close(handle h) noexcept {
    record* const r = records_.find(h);
    if (!r)
        return {EBADF, std::system_category()};
    // An operation has one slot that acts; where it has both, the other one is idle.
    for (slot* const s : {&r->reader, &r->writer})
        if (s->at != slot::stage::idle)
            (void)ask_to_end(*r, *s);
    if (r->standing())
        end_standing(*r);
    if (!r->is_lent())
        return end(*r);
    r->closing = true;
    close_error_.clear();
    // The kernel lets go of a socket while it is asked to, so that the number is free when this returns. Should it need longer, the
    // last answer closes it.
    hand_over();
    ring_.flush();
    collect();
    return close_error_;
}

/// The record no longer stands for its descriptor, which is closed unless it was given away.
std::error_code io_uring_backend::end(record& r) noexcept {
    close_ahead(r);
    drop_received(r);
    const std::error_code error = r.fd >= 0 ? posix::close_socket(r.fd) : std::error_code();
    listed_.remove(r);
    if (r.closer) {
        r.closer->finish(error.value());
        finished_.push_back(*r.closer);
    }
    ++r.generation;
    records_.give_back(r);
    return error;
}

handle io_uring_backend::bind_record(record& r, int fd, posix::descriptor_type type) noexcept {
    r.fd = fd;
    r.type = type;
    r.may_have_more = true;
    return {r.index, r.generation};
}

}
