// libuv.hpp - the libuv backend, by hand: its own loop, or one of yours.
#pragma once

#include <corun/backend.hpp>

#include <memory>

struct uv_loop_s;

namespace corun {

/// A backend that waits with a uv_loop_t of its own. Throws std::system_error.
std::unique_ptr<backend> make_libuv();

/// The same with your loop, whose handles keep working: their callbacks run while corun waits. They may use corun as any callback on the
/// loop's thread, but must not run the loop. The loop must outlive the run, and is to be run once more after it: the backend's last handles
/// end in its next turn. Throws std::system_error.
std::unique_ptr<backend> make_libuv(uv_loop_s& loop);

}
