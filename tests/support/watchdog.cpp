#include <corun/inspect.hpp>
#include <corun/loop.hpp>
#include <support/os.hpp>
#include <support/processor_share.hpp>
#include <support/scale.hpp>
#include <support/semaphore.hpp>
#include <support/watchdog.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>

namespace testing {
namespace {

using namespace std::chrono_literals;

std::atomic<bool> dumped = false;

/// Runs on the main thread, in the middle of the case: it may find the heap locked or a list half linked. Then the
/// watchdog aborts without it.
void dump_tasks_here() {
    if (corun::loop* const l = corun::loop::try_current())
        std::fprintf(stderr, "%s\n", corun::dump_tasks(*l).c_str());
    else
        std::fprintf(stderr, "no loop runs on the main thread\n");
    std::fflush(stderr);
    dumped = true;
}

[[noreturn]] void bark(const std::string& name, std::chrono::seconds limit, std::chrono::nanoseconds took) {
    const auto count = [](auto d) { return static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(d).count()); };
    std::string busy;
    if (count(took) > count(limit))
        busy = " (" + std::to_string(count(took)) + " s of a busy machine)";
    std::fprintf(stderr, "\nwatchdog: \"%s\" is not over after %d s%s; its tasks:\n", name.c_str(), count(limit), busy.c_str());
    std::fflush(stderr);
    if (os::interrupt_main_thread(&dump_tasks_here)) {
        for (int i = 0; i < 200 && !dumped; ++i)
            std::this_thread::sleep_for(10ms);
    }
    if (!dumped)
        std::fprintf(stderr, "the main thread does not answer\n");
    std::signal(SIGABRT, SIG_DFL);   // the framework's handler would report from this thread
    std::abort();
}

std::chrono::seconds time_for_a_case() {
    if (const char* const seconds = std::getenv("CORUN_CASE_SECONDS"))
        return std::chrono::seconds(std::max(std::atoi(seconds), 1));
    return 5s * slowdown * static_cast<int>(stress());
}

class watchdog {
public:
    watchdog() {
        (void)os::share_of_processors();   // opens what it needs before a case's descriptors are counted
        resume();
    }
    ~watchdog() { pause(); }

    void resume() {
        ends_ = false;
        semaphore is_known;
        thread_ = std::thread([this, &is_known] {
            os::be_watchdog_thread();
            is_known.release();
            watch();
        });
        is_known.acquire();
    }
    void pause() {
        if (!thread_.joinable())
            return;
        {
            const std::lock_guard lock(mutex_);
            ends_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }

    void begin(const std::string& name) {
        {
            const std::lock_guard lock(mutex_);
            name_ = name;
            ++number_;
            left_ = limit_;
            took_ = 0s;
        }
        changed_.notify_one();
    }
    void end() {
        const std::lock_guard lock(mutex_);
        name_.clear();
    }

private:
    void watch() {
        std::unique_lock lock(mutex_);
        while (!ends_) {
            if (name_.empty())
                changed_.wait(lock);
            else if (left_ > 0s)
                watch_for_a_moment(lock);
            else
                bark(name_, limit_, took_);
        }
    }

    void watch_for_a_moment(std::unique_lock<std::mutex>& lock) {
        const unsigned watched = number_;
        const auto began = std::chrono::steady_clock::now();
        changed_.wait_for(lock, 1s);   // seldom: cases measure the processor time of the process
        if (watched != number_)
            return;   // another case's time
        const std::chrono::nanoseconds passed = std::chrono::steady_clock::now() - began;
        took_ += passed;
        // What hangs is ended, however busy the machine is.
        const double share = std::max(os::share_of_processors(), 0.05);
        left_ -= std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(passed.count()) * share));
    }

    const std::chrono::seconds limit_ = time_for_a_case();
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string name_;      // empty between cases
    unsigned number_ = 0;   // of the case
    std::chrono::nanoseconds left_{};
    std::chrono::nanoseconds took_{};
    bool ends_ = false;
    std::thread thread_;
};

watchdog& the_watchdog() {
    static watchdog one;
    return one;
}

}

void start_watchdog() { the_watchdog(); }

void watch_case(const std::string& name) {
    os::note_main_thread();
    the_watchdog().begin(name);
}

void unwatch_case() { the_watchdog().end(); }

void pause_watchdog() { the_watchdog().pause(); }

void resume_watchdog() { the_watchdog().resume(); }

}
