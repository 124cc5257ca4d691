// cancellation.cpp - a request, delivered at the await where a task stands; clean-up may await.
#include <corun/corun.hpp>

#include <fmt/core.h>

using namespace std::chrono_literals;

corun::task<> wait_for_ever() { co_await corun::sleep_until(corun::no_deadline); }

corun::task<> say_goodbye() {
    co_await corun::sleep_for(10ms);   // the request that ended the body is not delivered again
    fmt::print("goodbye\n");
}

corun::task<> worker() { co_await corun::finally(wait_for_ever, say_goodbye); }

corun::task<> save() {
    co_await corun::sleep_for(20ms);
    fmt::print("saved\n");
}

corun::task<> requests() {
    auto task = corun::spawn(worker);
    co_await corun::yield();
    task.cancel();
    co_await corun::wait(task);
    fmt::print("worker was cancelled: {}\n", task.is_cancelled());

    // What must finish is shielded: the waiting ends, the task goes on.
    auto saving = corun::spawn(save);
    auto waiting = corun::spawn([](auto handle) -> corun::task<> { co_await corun::shield(handle); }, saving);
    co_await corun::yield();
    waiting.cancel();
    co_await saving;

    // What nobody waits for is cancelled when run() ends, and awaited.
    corun::spawn(worker);
    co_await corun::yield();
}

int main() { return corun::run_main(requests); }
