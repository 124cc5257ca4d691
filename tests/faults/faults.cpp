// faults.cpp - the plans, the drawing and the counting: see faults.hpp and decide.hpp.
#include "faults.hpp"

#include "decide.hpp"

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <sys/time.h>
#include <unistd.h>

namespace faults {
namespace {

plan in_effect;
std::atomic<std::size_t> injected = 0;
std::atomic<std::uint64_t> draws = 0;
std::uint64_t seed = 0;

calls failing_kind = calls::none;
int failing_error = 0;
std::atomic<std::size_t> until_failure = 0;
std::atomic<bool> failed = false;

/// 5,000 signals a second; no call goes on by itself after one.
void begin_storm() {
    struct sigaction action{};
    action.sa_handler = [](int) { ++injected; };
    ::sigaction(SIGALRM, &action, nullptr);
    const itimerval every{{0, 200}, {0, 200}};
    ::setitimer(ITIMER_REAL, &every, nullptr);
}

/// The plan that the environment wants, from before main() to its end.
struct environment_plan {
    environment_plan() {
        const char* const text = std::getenv("CORUN_FAULTS");
        if (!text)
            return;
        const std::string all(text);
        const std::size_t comma = all.find(",seed=");
        if (comma != all.npos)
            seed = std::strtoull(text + comma + 6, nullptr, 10);
        in_effect = plan_of(all.substr(0, comma));
        process = ::getpid();
        if (in_effect.is_storm)
            begin_storm();
    }
    ~environment_plan() {
        if (::getpid() == process)   // not a forked child
            std::printf("faults injected: %zu\n", injected.load());
        std::fflush(stdout);
    }

    pid_t process = -1;
} from_environment;

}

plan plan_of(const std::string& id) {
    plan p;
    if (id == "F-01") {
        p.interrupted = 50;
    } else if (id == "F-01-storm") {
        p.is_storm = true;
    } else if (id == "F-02") {
        p.would_block = 20;
    } else if (id == "F-03") {
        p.tiny = true;
    } else if (id == "F-08") {
        p.lost_connections = 20;
    } else if (id == "F-09") {
        p.odd_wakes = 10;
    } else if (id == "F-09-full") {
        p.refused_wakes = 10;
    } else if (id == "F-10") {
        p.disordered = 50;
    } else if (id == "F-11") {
        p.small_rings = true;
        p.refused_enters = 10;
    } else {
        throw std::invalid_argument("CORUN_FAULTS: there is no plan " + id +
                                    "; there are F-01, F-01-storm, F-02, F-03, F-08, F-09, F-09-full, F-10 and F-11");
    }
    return p;
}

in_force::in_force(const plan& p) : before_(in_effect) { in_effect = p; }
in_force::~in_force() { in_effect = before_; }

failing_call::failing_call(calls kind, std::size_t nth, int error) {
    failing_kind = kind;
    failing_error = error;
    failed = false;
    until_failure = nth;
}
failing_call::~failing_call() {
    until_failure = 0;
    failing_kind = calls::none;
}
bool failing_call::has_failed() const noexcept { return failed; }

std::size_t count() noexcept { return injected; }

const plan& current() noexcept { return in_effect; }

unsigned draw(unsigned below) noexcept {
    std::uint64_t z = (seed * 0x2545f4914f6cdd1dU + draws.fetch_add(1) + 1) * 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return static_cast<unsigned>((z ^ (z >> 31)) % below);
}

bool one_of_hundred(int percent) noexcept { return percent > 0 && draw(100) < static_cast<unsigned>(percent); }

bool inject(int error) noexcept {
    ++injected;
    errno = error;
    return true;
}

/// Drawn, not each second one: a loop of two calls would have its wait interrupted for ever.
bool is_interrupted() noexcept { return one_of_hundred(in_effect.interrupted) && inject(EINTR); }

bool fails(calls kind) noexcept {
    if (kind != failing_kind || until_failure == 0 || until_failure.fetch_sub(1) != 1)
        return false;
    failed = true;
    return inject(failing_error);
}

bool is_lost() noexcept {
    constexpr int errors[] = {ECONNABORTED, EPROTO, ENETDOWN};
    return one_of_hundred(in_effect.lost_connections) && inject(errors[injected % 3]);
}

}
