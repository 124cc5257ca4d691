// borrowed.hpp - the loop that this thread's backend has borrowed, if it has: the host's must be the same.
#pragma once

namespace asio {
class io_context;
}
struct uv_loop_s;

namespace testing {

inline thread_local asio::io_context* borrowed_context = nullptr;
inline thread_local uv_loop_s* borrowed_loop = nullptr;

}
