// interrupts.cpp - see interrupts.hpp.
#include <corun/detail/interrupts.hpp>
#include <corun/detail/loop_core.hpp>
#include <corun/detail/task_state.hpp>

#include "inspect/task_tree.hpp"

#include <cstdio>
#include <utility>

namespace corun::detail {
namespace {

void print_tasks(loop_core& core) noexcept {
    try {
        std::fputs(dump_of(core).c_str(), stderr);
    } catch (...) {
        std::fputs("corun: no memory to print the tasks\n", stderr);
    }
}

}

void interrupts::catch_them(bool termination) noexcept {
    counter_.termination = termination;
    counter_.default_after = seen_ + 2;
    are_caught_ = counter_.to_wake->catch_interrupts(counter_);
}

void interrupts::release() noexcept {
    if (are_caught_)
        counter_.to_wake->release_interrupts(counter_);
    are_caught_ = false;
}

void interrupts::begin_shut_down() noexcept {
    shutting_down_ = true;
    counter_.default_after = seen_ + 2;
}

void interrupts::look(loop_core& core) noexcept {
    core.attention.note_arrivals(counter_.arrivals.load());
    if (const int dumps = counter_.dumps.load(); std::exchange(dumps_seen_, dumps) != dumps)
        print_tasks(core);
    const int count = counter_.count.load();
    while (seen_ < count) {
        ++seen_;
        if (shutting_down_) {
            if (++of_shut_down_ == 2)
                core.attention.stop();
        } else if (of_main_++ == 0) {
            main_->cancel(cancel_reason(cancel_origin::interrupt));
        } else {
            core.attention.stop();
        }
    }
}

}
