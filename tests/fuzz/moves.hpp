// moves.hpp - what a fuzzed program is made of: blocks of moves, each of which does one thing that the library offers.
#pragma once

#include "input.hpp"

#include <corun/corun.hpp>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fuzz {

/// What the moves share. Small, so that they meet.
struct world {
    explicit world(input bytes) : in(bytes) {}

    input in;
    int moves_left = 400;
    std::array<corun::mutex, 2> mutexes;
    corun::condition condition{mutexes[0]};
    corun::semaphore semaphore{2};
    std::unique_ptr<corun::event> event = std::make_unique<corun::event>();
    corun::queue<std::string> queue{2};
    corun::barrier barrier{2};
    std::vector<corun::task_handle<>> tasks;
    std::vector<corun::resolver<int>> resolvers;
    std::vector<corun::callback_handle> callbacks;
    std::vector<std::unique_ptr<corun::generator<int>>> generators;
    std::optional<corun::sender<std::string>> sender;
    std::optional<corun::receiver<std::string>> receiver;
    std::optional<corun::tcp_listener> listener;
    std::vector<std::unique_ptr<corun::tcp_stream>> streams;
};

/// A few moves, one after the other; some of them ask what became of them.
corun::task<> block(world&, int depth);

}
