// os_other.cpp - a system whose answers nobody has written down yet.
#include <support/os.hpp>
#include <support/processor_share.hpp>

#include <csignal>
#include <cstdio>
#include <stdexcept>

namespace testing::os {

std::optional<std::vector<std::string>> open_descriptors() { return std::nullopt; }
std::optional<std::vector<std::string>> threads() { return std::nullopt; }
std::optional<std::size_t> resident_bytes() { return std::nullopt; }
std::optional<std::chrono::nanoseconds> cpu_time() { return std::nullopt; }
std::chrono::nanoseconds cpu_time_step() noexcept { return std::chrono::nanoseconds(1); }
double share_of_processors() noexcept { return 1; }
std::chrono::milliseconds lateness() noexcept { return std::chrono::milliseconds(20); }
std::size_t allocation_size(void*) noexcept { return 0; }

void be_watchdog_thread() {}
void note_main_thread() {}
bool interrupt_main_thread(void (*)()) { return false; }

environment_variable::environment_variable(const char* name, const char*) : name_(name) {
    throw std::runtime_error("no changes of the environment on this system yet: the case belongs in exceptions.txt");
}
environment_variable::~environment_variable() {}

child_end run_in_child(const std::function<int()>&) {
    throw std::runtime_error("no child processes on this system yet: the case belongs in exceptions.txt");
}

bool use_one_processor() { return false; }

void raise_signal(int signal) { std::raise(signal); }

void say(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
}

}
