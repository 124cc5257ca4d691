// is_task.hpp - which types are tasks, for headers that need no more of them.
#pragma once

namespace corun {

template <class T>
class task;

namespace detail {

template <class T>
inline constexpr bool is_task = false;
template <class T>
inline constexpr bool is_task<task<T>> = true;

}

}
