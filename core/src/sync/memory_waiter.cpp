// memory_waiter.cpp - primitives that are used from elsewhere, or destroyed while tasks wait in them.
#include <corun/detail/memory_waiter.hpp>
#include <corun/detail/report.hpp>

#include <system_error>

namespace corun::detail {

void throw_abandoned() {
    throw std::system_error(std::make_error_code(std::errc::operation_canceled),
                            "corun: the object this task waited for was destroyed; keep it alive until its waiters are done");
}

void waiter_list::check_same_loop() const {
    const loop_core* core = try_core();
    if (!core)
        core = guest_core();
    if (!core || core->id != loop_id_)
        throw_usage(errc::foreign_loop, "this corun object is bound to the loop of its first waiter and can't be used from another loop or "
                                        "thread; use loop::post() to reach its loop");
}

void waiter_list::abandon_all(const char* primitive) noexcept {
    if (empty() && woken_.empty())
        return;
    report_destroyed_with_waiters(primitive);
    while (!woken_.empty())
        woken_.front().abandon();
    while (!empty())
        front().abandon();
}

}
