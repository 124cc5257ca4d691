// thread.cpp - a guest in a loop that has nothing but a queue of functions, as a GUI's: the way that works everywhere.
#include <corun/corun.hpp>
#include <corun/thread_host.hpp>

#include <fmt/core.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

using namespace std::chrono_literals;

namespace {

/// Whatever your program has: a function that is posted is called on the loop's thread, soon.
class message_loop {
public:
    void post(std::function<void()> f) {
        const std::lock_guard lock(mutex_);
        queue_.push_back(std::move(f));
        filled_.notify_one();
    }
    void run_one() {
        std::unique_lock lock(mutex_);
        filled_.wait(lock, [this] { return !queue_.empty(); });
        const auto f = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        f();
    }

private:
    std::mutex mutex_;
    std::condition_variable filled_;
    std::deque<std::function<void()>> queue_;
};

corun::task<> greet() {
    fmt::print("Hello from a task,\n");
    co_await corun::sleep_for(10ms);
    fmt::print("on the loop's own thread.\n");
}

}

int main() {
    message_loop loop;
    corun::guest guest;
    corun::thread_host host(guest, [&loop](std::function<void()> f) { loop.post(std::move(f)); });
    guest.start(greet, [](corun::outcome<void> end) { end.rethrow(); });
    while (!guest.is_finished())
        loop.run_one();
}
