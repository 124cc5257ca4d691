// poll.cpp - a game's loop: a frame every 16 ms, and corun's tasks in between.
#include <corun/corun.hpp>
#include <corun/poll_host.hpp>

#include <fmt/core.h>

#include <chrono>

using namespace std::chrono_literals;

namespace {

corun::task<int> play() {
    int score = 0;
    for (; score < 5; ++score)
        co_await corun::sleep_for(20ms);
    co_return score;
}

}

int main() {
    corun::guest guest;
    corun::poll_host host(guest);
    guest.start(play, [](corun::outcome<int> end) { fmt::print("the score is {}\n", end.value()); });

    int frames = 0;
    while (!guest.is_finished()) {
        ++frames;             // draw
        host.run_for(16ms);   // everything that tasks have to do until the next frame
    }
    fmt::print("more than 5 frames: {}\n", frames > 5 ? "yes" : "no");
}
