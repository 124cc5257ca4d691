// interrupts.cpp - Ctrl-C: the first cancels main, the second stops the loop, in shut down the second ends it (2.1, 2.2).
#include <corun/inspect.hpp>
#include <corun/loop.hpp>

#include <cstdio>
#include <utility>

namespace corun {

void loop::catch_interrupts(bool termination) noexcept {
    interrupts_.termination = termination;
    interrupts_.default_after = interrupts_seen_ + 2;
    interrupts_caught_ = engine->catch_interrupts(interrupts_);
}

void loop::release_interrupts() noexcept {
    if (interrupts_caught_)
        engine->release_interrupts(interrupts_);
    interrupts_caught_ = false;
}

void loop::print_tasks() noexcept {
    try {
        std::fputs(dump_tasks(*this).c_str(), stderr);
    } catch (...) {
        std::fputs("corun: no memory to print the tasks\n", stderr);
    }
}

void loop::look_at_interrupts() noexcept {
    arrivals_seen_ = interrupts_.arrivals.load();
    if (const int dumps = interrupts_.dumps.load(); std::exchange(dumps_seen_, dumps) != dumps)
        print_tasks();
    const int count = interrupts_.count.load();
    while (interrupts_seen_ < count) {
        ++interrupts_seen_;
        if (shutting_down_) {
            if (++shut_down_interrupts_ == 2)
                stop_ = true;
        } else if (main_interrupts_++ == 0) {
            main_->cancel();
        } else {
            stop_ = true;
        }
    }
}

}
