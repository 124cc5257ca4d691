// transfer.cpp - see transfer.hpp.
#include <corun/detail/loop_core.hpp>
#include <corun/detail/transfer.hpp>

namespace corun::detail {

void set_next_in_place(std::coroutine_handle<> next) noexcept { try_core()->next_in_place = next; }

}
