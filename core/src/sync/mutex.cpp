// mutex.cpp - the lock given up by hand, and mutexes that go before their guards and waits do.
#include "sync/condition_wait.hpp"

#include <corun/mutex.hpp>

namespace corun {

mutex::~mutex() {
    condition_waits_.for_each([](detail::condition_wait& w) { w.leave_mutex(); });
}

void mutex::unlock() {
    if (!is_locked())
        detail::throw_usage(errc::not_locked, "corun::mutex::unlock(): the mutex is not locked; unlock it once for each lock()");
    if (detail::may_be_debugging())
        detail::check_holder(holder_);
    permits_.check_loop();
    guarded_.let_go();
    permits_.give_back();
}

}
