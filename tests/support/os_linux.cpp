// os_linux.cpp - /proc, signals, fork.
#include <support/child_code.hpp>
#include <support/os.hpp>
#include <support/processor_share.hpp>
#include <support/scale.hpp>
#include <support/watchdog.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(CORUN_TEST_THREAD_SANITIZED)
// Children of run_in_child() may start threads.
extern "C" const char* __tsan_default_options() { return "die_after_fork=0"; }
#endif

namespace testing::os {
namespace {

constexpr const char* watchdog_name = "watchdog";

pthread_t main_thread;
void (*main_thread_call)() = nullptr;

// Neither corun nor the test framework has a use for it.
const int interruption = SIGRTMAX - 1;

void default_signals() {
    for (int s = 1; s < SIGRTMIN; ++s)
        std::signal(s, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void be_child(const std::function<int()>& f, int output) noexcept {
    prctl(PR_SET_PDEATHSIG, SIGKILL);   // or a hanging child would outlive the watchdog's abort
    default_signals();
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    close(output);
    _exit(child_code(f));
}

std::string read_all(int descriptor) {
    std::string text;
    char piece[4096];
    for (ssize_t n; (n = read(descriptor, piece, sizeof piece)) != 0;) {
        if (n > 0)
            text.append(piece, static_cast<std::size_t>(n));
        else if (errno != EINTR)
            break;
    }
    return text;
}

}

std::optional<std::vector<std::string>> open_descriptors() {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code gone;   // the descriptor that reads the directory is
        const auto target = std::filesystem::read_symlink(entry.path(), gone);
        if (!gone && target != "/proc/" + std::to_string(getpid()) + "/fd")
            found.push_back(entry.path().filename().string() + " -> " + target.string());
    }
    return found;
}

std::optional<std::vector<std::string>> threads() {
    std::vector<std::string> found;
    std::error_code failed;   // a thread may end under the iterator
    for (std::filesystem::directory_iterator it("/proc/self/task", failed), end; !failed && it != end; it.increment(failed)) {
        std::string name;
        std::getline(std::ifstream(it->path() / "comm"), name);
        if (name != watchdog_name)
            found.push_back(it->path().filename().string() + " " + name);
    }
    return found;
}

std::optional<std::size_t> resident_bytes() {
    std::size_t total = 0;
    std::size_t resident = 0;
    std::ifstream("/proc/self/statm") >> total >> resident;
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

std::optional<std::chrono::nanoseconds> cpu_time() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

std::chrono::nanoseconds cpu_time_step() noexcept { return std::chrono::nanoseconds(1); }

double share_of_processors() noexcept {
    // Kept open: it is asked at any time, also while a case's descriptors are compared.
    static const int load = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
    static const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    char text[128];
    const ssize_t size = pread(load, text, sizeof text - 1, 0);
    if (size <= 0)
        return 1;
    text[size] = '\0';
    long ready = 0;
    if (std::sscanf(text, "%*s %*s %*s %ld/", &ready) != 1)
        return 1;
    --ready;   // this thread
    return ready > processors ? static_cast<double>(processors) / static_cast<double>(ready) : 1;
}

std::chrono::milliseconds lateness() noexcept { return std::chrono::milliseconds(20); }

std::size_t allocation_size(void* block) noexcept { return malloc_usable_size(block); }

void be_watchdog_thread() { pthread_setname_np(pthread_self(), watchdog_name); }

void note_main_thread() { main_thread = pthread_self(); }

bool interrupt_main_thread(void (*call)()) {
    main_thread_call = call;
    struct sigaction action{};
    action.sa_handler = [](int) { main_thread_call(); };
    return sigaction(interruption, &action, nullptr) == 0 && pthread_kill(main_thread, interruption) == 0;
}

environment_variable::environment_variable(const char* name, const char* value) : name_(name) {
    if (const char* const text = std::getenv(name))
        before_ = text;
    setenv(name, value, 1);
}

environment_variable::~environment_variable() {
    if (before_)
        setenv(name_.c_str(), before_->c_str(), 1);
    else
        unsetenv(name_.c_str());
}

child_end run_in_child(const std::function<int()>& f) {
    std::cout.flush();
    std::fflush(nullptr);
    int ends[2];
    if (pipe(ends) != 0)
        throw std::system_error(errno, std::generic_category(), "pipe");
    pause_watchdog();   // ThreadSanitizer supports little in the child of a process with several threads
    const pid_t child = fork();
    if (child != 0)
        resume_watchdog();
    if (child == -1)
        throw std::system_error(errno, std::generic_category(), "fork");
    if (child == 0) {
        close(ends[0]);
        be_child(f, ends[1]);
    }
    close(ends[1]);

    child_end end;
    end.output = read_all(ends[0]);
    close(ends[0]);
    int status = 0;
    while (waitpid(child, &status, 0) == -1 && errno == EINTR) {
    }
    if (WIFEXITED(status))
        end.code = WEXITSTATUS(status);
    else if (WIFSIGNALED(status))
        end.signal = WTERMSIG(status);
    return end;
}

void raise_signal(int signal) {
    std::raise(signal);
    usleep(0);   // ThreadSanitizer calls handlers at calls that may block only
}

bool use_one_processor() {
    const int current = sched_getcpu();
    if (current < 0)
        return false;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(current), &one);
    return sched_setaffinity(0, sizeof one, &one) == 0;
}

void say(const std::string& text) {
    for (std::size_t written = 0; written < text.size();) {
        const ssize_t n = write(STDOUT_FILENO, text.data() + written, text.size() - written);
        if (n > 0)
            written += static_cast<std::size_t>(n);
        else if (errno != EINTR)
            return;
    }
}

}
