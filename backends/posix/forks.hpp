// forks.hpp - forked children are noticed.
#pragma once

namespace corun::posix {

/// From now on a forked child finds the loops that it inherited closed (10). Throws std::system_error if the system refuses.
void watch_forks();

}
