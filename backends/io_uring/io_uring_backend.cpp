// io_uring_backend.cpp - the wait, and who is told of news. What of the kernel this leans on is in docs/backends/io_uring.md.
#include "io_uring_backend.hpp"

#include "../common/clock.hpp"
#include "../posix/forks.hpp"
#include "../posix/signals.hpp"
#include "../posix/wait_readable.hpp"

#include <algorithm>
#include <chrono>

namespace corun {
namespace uring {
namespace {

/// The kernel prepares 20 answers at a time; more are fetched in one wait, but tasks are to run, too.
constexpr int most_answers = 256;

/// With so many answers in one wait, writes go to the kernel together, in one call; with fewer, each at once is faster.
constexpr int crowd = 4;

/// For how long a wait sleeps while the kernel takes no request.
constexpr duration retry_time = std::chrono::milliseconds(1);

}

io_uring_backend::io_uring_backend(const io_uring_options& options)
    : ring_(options),
      most_accepted_(options.basic ? 0 : options.accepts_ahead),
      most_received_(options.basic ? 0 : options.receives_ahead),
      takes_ahead_(most_accepted_ > 0 || most_received_ > 0),
      process_(::getpid()) {
    posix::watch_forks();
}

io_uring_backend::~io_uring_backend() {
    // The ring of a forked child is its parent's: nothing is asked of it. Else only closes may still be on their way.
    if (::getpid() == process_) {
        records_.for_each([this](record& r) {
            if (r.standing())
                end_standing(r);
        });
        while (lent_ > 0) {
            hand_over();
            ring_.enter(no_deadline);
            collect();
        }
    }
    records_.for_each([](record& r) {
        close_ahead(r);
        if (r.fd >= 0)
            sys::close(r.fd);
    });
}

time_point io_uring_backend::now() const noexcept { return common::now(); }

waited io_uring_backend::wait(time_point deadline, operation_list& finished) noexcept {
    start();
    // Before the answers are looked at: what comes after this makes it readable again.
    if (handle_)
        handle_->drain();
    int taken = 0;
    for (;;) {
        hand_over();
        if (woken_ || !finished_.empty())
            deadline = time_point::min();
        else if (listed_.first() || !watches_wakes_)
            deadline = std::min(deadline, now() + retry_time);
        ring_.enter(deadline);
        const int now_taken = collect();
        taken += now_taken;
        if (now_taken == 0 || (!listed_.first() && !ring_.has_more()))
            break;
        if (taken >= most_answers) {
            if (handle_)
                handle_->wake();   // of what is left the poller would not tell again
            break;
        }
    }
    is_crowded_ = taken >= crowd;
    const bool news = woken_ || !finished_.empty() || listed_.first() || !watches_wakes_;
    woken_ = false;
    finished.splice_back(finished_);
    return news ? waited::news : waited::nothing;
}

void io_uring_backend::start() noexcept {
    if (!started_)
        ring_.start();
    if (!started_ && most_received_ > 0)
        ring_.lend(pool_);   // without it nothing is received ahead
    started_ = true;
}

native_handle io_uring_backend::wait_handle() noexcept {
    if (!handle_) {
        try {
            handle_.emplace();
        } catch (const std::system_error&) {
            return no_native_handle;
        }
        if (!ring_.notify(handle_->get())) {
            handle_.reset();
            return no_native_handle;
        }
        handle_to_wake_.store(&*handle_, std::memory_order_release);
        handle_->wake();   // answers that are there already
    }
    return handle_->get();
}

void io_uring_backend::block(time_point deadline) noexcept {
    if (!finished_.empty() || woken_ || wait_handle() == no_native_handle)
        return;
    posix::wait_readable(handle_->get(), deadline);
}

bool io_uring_backend::catch_interrupts(interrupt_counter& c) noexcept { return posix::catch_interrupts(c); }

void io_uring_backend::release_interrupts(interrupt_counter& c) noexcept { posix::release_interrupts(c); }

}

std::unique_ptr<backend> make_io_uring() { return make_io_uring(io_uring_options()); }

std::unique_ptr<backend> make_io_uring(const io_uring_options& options) { return std::make_unique<uring::io_uring_backend>(options); }

}
