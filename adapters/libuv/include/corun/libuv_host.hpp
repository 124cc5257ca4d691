// libuv_host.hpp - a guest on a program's own uv_loop_t.
#pragma once

#include <corun/guest.hpp>

struct uv_loop_s;

namespace corun {

/// Hosts a guest on a libuv loop, whose other handles keep working. Until the guest's run is over it keeps uv_run() from returning.
/// Belongs to the loop's thread; callbacks run inside uv_run().
class libuv_host {
public:
    /// Attaches; guest and loop must outlive this. Throws std::system_error, usage_error if the guest has a host.
    libuv_host(uv_loop_s& loop, guest& g, dispatch_budget budget = {});
    libuv_host(const libuv_host&) = delete;

    /// Detaches. Its handles end in the loop's next turn: run it once more before uv_loop_close(). A guest whose run is not over needs
    /// another host, or request_stop() and drain().
    ~libuv_host();

    /// False: the guest does not keep uv_run() from returning from now on, as after uv_unref(); a later uv_run() goes on with it. For an
    /// addon of a program whose end is not the guest's to say.
    void keeps_alive(bool keeps) noexcept;

private:
    struct state;

    state* state_;   // goes when libuv has closed its handles
};

}
