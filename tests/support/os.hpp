// os.hpp - what the tests ask of the operating system; nullopt where nobody has written down how to ask.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace testing::os {

/// Open descriptors of this process, each with what it leads to: "7 -> socket:[1234]".
std::optional<std::vector<std::string>> open_descriptors();

/// Threads of this process without the watchdog's, each with its name: "1234 conformance".
std::optional<std::vector<std::string>> threads();

/// Makes the calling thread one that threads() leaves out.
void be_watchdog_thread();

/// Memory of this process that is in RAM.
std::optional<std::size_t> resident_bytes();

/// Processor time of the calling thread: another one of the process may be the watchdog's, or the kernel's on behalf of a ring.
std::optional<std::chrono::nanoseconds> cpu_time();

/// In what steps that grows.
std::chrono::nanoseconds cpu_time_step() noexcept;

/// How late a timer or a wake-up may be on an idle machine of this system.
std::chrono::milliseconds lateness() noexcept;

/// What the allocator set aside for a block that malloc gave; 0 where that can't be asked.
std::size_t allocation_size(void* block) noexcept;

/// Makes the calling thread the one that interrupt_main_thread() interrupts.
void note_main_thread();

/// Calls `call` on the main thread, in the middle of whatever it does. For a debugging aid that ends in abort(): nothing
/// else may run `call` so. False if that can't be done.
bool interrupt_main_thread(void (*call)());

/// A variable of this process's environment while it lives; then it is what it was. One thread only.
class environment_variable {
public:
    environment_variable(const char* name, const char* value);
    environment_variable(const environment_variable&) = delete;
    ~environment_variable();

private:
    std::string name_;
    std::optional<std::string> before_;
};

/// How a child process ended.
struct child_end {
    std::optional<int> code;     ///< what it exited with
    std::optional<int> signal;   ///< what killed it
    std::string output;          ///< all that it wrote to standard output and standard error
};

/// Forks, runs `f` in the child with the default action of every signal, and waits for its end. The child exits with what `f` returns;
/// an exception out of `f` is printed, and the code is 99. Throws std::runtime_error where there is no fork.
child_end run_in_child(const std::function<int()>& f);

/// Raises a signal on this thread; if a handler catches it, that has run when this returns.
void raise_signal(int signal);

/// From now on the calling thread and those it starts share one processor. For children. False if that can't be done.
bool use_one_processor();

/// Writes to standard output and standard error of a child directly, so that nothing is lost if it dies.
void say(const std::string& text);

}
