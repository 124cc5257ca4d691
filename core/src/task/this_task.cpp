// this_task.cpp - the running task.
#include <corun/this_task.hpp>

namespace corun {

namespace this_task {

task_ref handle() { return task_ref(detail::this_task_state()); }
std::uint64_t id() { return detail::this_task_state().id; }
std::string name() { return handle().name(); }
void set_name(std::string name) { detail::this_task_state().make_extras().name = std::move(name); }
cancel_reason why_cancelled() { return detail::this_task_state().why_cancelled(); }

}

}
