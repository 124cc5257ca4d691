// inspect.hpp - a look inside: which tasks there are and what each waits for.
#pragma once

#include <corun/loop.hpp>

#include <cstddef>
#include <string>

namespace corun {

/// Coroutine frames that were made on this thread and are still alive.
std::size_t live_frames() noexcept;

/// Every unfinished task of the loop in creation order, a line each: id, name, what it waits for and how many frames deep.
/// Loop's thread.
std::string dump_tasks(loop&);

}
