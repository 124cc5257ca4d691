#include <corun/inspect.hpp>
#include <support/case_watch.hpp>
#include <support/os.hpp>
#include <support/watchdog.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace testing {
namespace {

using namespace std::chrono_literals;
using list = std::optional<std::vector<std::string>>;

struct counted {
    list descriptors;
    list threads;
    std::size_t frames = 0;
};

list sorted(list found) {
    if (found)
        std::sort(found->begin(), found->end());
    return found;
}

counted count() { return {sorted(os::open_descriptors()), sorted(os::threads()), corun::live_frames()}; }

/// Which of `some` are not in `others`.
std::string difference(const char* what, const list& some, const list& others) {
    std::string text;
    for (const std::string& one : some.value_or(std::vector<std::string>())) {
        if (!others || !std::binary_search(others->begin(), others->end(), one))
            text += std::string(what) + ": " + one + "\n";
    }
    return text;
}

counted before;
std::string running;

}

const std::string& current_case() { return running; }

void case_begins(const std::string& name) {
    running = name;
    start_watchdog();
    watch_case(name);
    before = count();
}

std::string case_ends() {
    unwatch_case();
    counted after = count();
    // The system goes on listing a thread for a moment after it was joined.
    for (int i = 0; i < 1000 && after.threads != before.threads; ++i) {
        std::this_thread::sleep_for(1ms);
        after = count();
    }

    std::string text = difference("left open", after.descriptors, before.descriptors);
    text += difference("closed, but not its own", before.descriptors, after.descriptors);
    text += difference("left running", after.threads, before.threads);
    text += difference("ended, but not its own", before.threads, after.threads);
    if (after.frames != before.frames)
        text += "live coroutine frames: " + std::to_string(before.frames) + " before, " + std::to_string(after.frames) + " after\n";
    return text;
}

}
