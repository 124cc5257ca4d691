// echo_load.cpp - the load of the echo rows, and their clock: starts the servers on one core, asks them in turn from another.
//
//     echo_load CONNECTIONS BYTES ROUNDS MILLISECONDS SERVER...
//
// All servers are up at once and only the one that is asked works. Each round asks every server for so many milliseconds,
// with one request in flight on each connection, and prints a JSON object a line: requests, the server's CPU time, time passed.
// Round 0 warms up. Whatever happens to this process, the servers end with it.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace {

int check(int result, const char* what) {
    if (result < 0)
        throw std::system_error(errno, std::generic_category(), what);
    return result;
}

std::int64_t read_clock(clockid_t id) {
    timespec t{};
    check(clock_gettime(id, &t), "clock_gettime");
    return std::int64_t(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

/// The two cores that this process may use, the same one twice if there is no other.
std::array<int, 2> choose_cores() {
    cpu_set_t allowed;
    check(sched_getaffinity(0, sizeof allowed, &allowed), "sched_getaffinity");
    std::array<int, 2> cores{};
    int found = 0;
    for (int core = 0; core < CPU_SETSIZE && found < 2; ++core)
        if (CPU_ISSET(std::size_t(core), &allowed))
            cores[std::size_t(found++)] = core;
    if (found == 1)
        cores[1] = cores[0];
    return cores;
}

void pin(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(std::size_t(core), &set);
    check(sched_setaffinity(0, sizeof set, &set), "sched_setaffinity");
}

/// A server process: its port and its CPU clock.
class server {
public:
    server(const char* program, int connections, int core) {
        int output[2];
        check(pipe(output), "pipe");
        const pid_t parent = getpid();
        pid_ = check(fork(), "fork");
        if (pid_ == 0)
            become(program, connections, core, output, parent);
        close(output[1]);
        port_ = read_port(output[0], program);
        close(output[0]);
        check(-clock_getcpuclockid(pid_, &cpu_clock_), "clock_getcpuclockid");
    }
    server(const server&) = delete;
    ~server() {
        // It ends when its connections have; a server that doesn't is no reason to hang.
        for (int i = 0; i < 200; ++i) {
            if (waitpid(pid_, nullptr, WNOHANG) != 0)
                return;
            usleep(10'000);
        }
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
        std::fprintf(stderr, "echo_load: the server on port %d did not end with its connections\n", int(port_));
    }

    std::uint16_t port() const noexcept { return port_; }
    std::int64_t cpu_time() const { return read_clock(cpu_clock_); }

private:
    [[noreturn]] static void become(const char* program, int connections, int core, const int (&output)[2], pid_t parent) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);   // it died before the line above
        pin(core);
        dup2(output[1], STDOUT_FILENO);
        close(output[0]);
        close(output[1]);
        execl(program, program, std::to_string(connections).c_str(), static_cast<char*>(nullptr));
        _exit(127);
    }

    static std::uint16_t read_port(int fd, const char* program) {
        std::string line;
        for (char c; read(fd, &c, 1) == 1 && c != '\n';)
            line += c;
        if (line.empty())
            throw std::runtime_error(std::string(program) + " did not start");
        return std::uint16_t(std::stoi(line));
    }

    pid_t pid_ = 0;
    clockid_t cpu_clock_ = 0;
    std::uint16_t port_ = 0;
};

/// A connection with one request in flight; answers are compared with what was asked.
class connection {
public:
    connection(std::uint16_t port, std::size_t bytes) : request_(bytes, '.'), answer_(bytes) {
        sockaddr_in where{};
        where.sin_family = AF_INET;
        where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        where.sin_port = htons(port);
        check(connect(fd_, reinterpret_cast<sockaddr*>(&where), sizeof where), "connect");
        const int on = 1;
        check(setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
    }
    connection(const connection&) = delete;
    ~connection() { close(fd_); }

    int fd() const noexcept { return fd_; }

    void ask() {
        ++number_;
        std::memcpy(request_.data(), &number_, std::min(sizeof number_, request_.size()));
        // One request is in flight: the socket's buffers take it, and the call does not block.
        for (std::size_t sent = 0; sent < request_.size();)
            sent += std::size_t(check(int(send(fd_, request_.data() + sent, request_.size() - sent, MSG_NOSIGNAL)), "send"));
    }

    /// True when the whole answer is there.
    bool take_answer() {
        const ssize_t count = recv(fd_, answer_.data() + received_, answer_.size() - received_, MSG_DONTWAIT);
        if (count < 0 && errno == EAGAIN)
            return false;
        if (count <= 0)
            throw std::runtime_error("a server closed a connection that was in use");
        received_ += std::size_t(count);
        if (received_ < answer_.size())
            return false;
        received_ = 0;
        if (answer_ != request_)
            throw std::runtime_error("a server answered something else than it was sent");
        return true;
    }

private:
    int fd_ = check(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    std::uint64_t number_ = 0;
    std::size_t received_ = 0;
    std::vector<char> request_;
    std::vector<char> answer_;
};

/// A server with the connections to it.
class competitor {
public:
    competitor(const char* program, int connections, std::size_t bytes, int core) : program_(program), server_(program, connections, core) {
        for (int i = 0; i < connections; ++i) {
            auto c = std::make_unique<connection>(server_.port(), bytes);
            epoll_event e{};
            e.events = EPOLLIN;
            e.data.ptr = c.get();
            check(epoll_ctl(epoll_, EPOLL_CTL_ADD, c->fd(), &e), "epoll_ctl");
            connections_.push_back(std::move(c));
        }
    }
    competitor(const competitor&) = delete;
    ~competitor() { close(epoll_); }

    void measure(int round, std::int64_t length) {
        const std::int64_t cpu_before = server_.cpu_time();
        const std::int64_t start = read_clock(CLOCK_MONOTONIC);
        const std::int64_t requests = ask_until(start + length);
        const std::int64_t passed = read_clock(CLOCK_MONOTONIC) - start;
        std::printf("{\"server\": \"%s\", \"round\": %d, \"requests\": %lld, \"cpu_ns\": %lld, \"wall_ns\": %lld}\n", program_, round,
                    static_cast<long long>(requests), static_cast<long long>(server_.cpu_time() - cpu_before),
                    static_cast<long long>(passed));
    }

private:
    /// Returns when every request that was sent before `end` has its answer.
    std::int64_t ask_until(std::int64_t end) {
        std::array<epoll_event, 256> events;
        std::int64_t answers = 0;
        std::size_t in_flight = connections_.size();
        for (auto& c : connections_)
            c->ask();
        while (in_flight > 0) {
            const int count = epoll_wait(epoll_, events.data(), int(events.size()), 5'000);
            if (count == 0)
                throw std::runtime_error(std::string(program_) + " has not answered for five seconds");
            const bool over = read_clock(CLOCK_MONOTONIC) >= end;
            for (int i = 0; i < count; ++i) {
                auto& c = *static_cast<connection*>(events[std::size_t(i)].data.ptr);
                if (!c.take_answer())
                    continue;
                ++answers;
                if (over)
                    --in_flight;
                else
                    c.ask();
            }
        }
        return answers;
    }

    const char* program_;
    int epoll_ = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    server server_;   // before the connections, so that they close first
    std::vector<std::unique_ptr<connection>> connections_;
};

void run(int connections, std::size_t bytes, int rounds, std::int64_t length, char** first, char** last) {
    const auto cores = choose_cores();
    pin(cores[1]);
    std::vector<std::unique_ptr<competitor>> competitors;
    for (char** program = first; program != last; ++program)
        competitors.push_back(std::make_unique<competitor>(*program, connections, bytes, cores[0]));

    for (int round = 0; round <= rounds; ++round) {
        for (auto& c : competitors)
            c->measure(round, length);
        std::rotate(competitors.begin(), competitors.begin() + 1, competitors.end());   // nobody always follows the same one
    }
}

}

int main(int argc, char** argv) {
    if (argc < 6 || std::atol(argv[2]) < 1 || std::atol(argv[2]) > 64 * 1024) {
        std::fprintf(stderr, "usage: echo_load CONNECTIONS BYTES ROUNDS MILLISECONDS SERVER..., with 1 to 65536 bytes\n");
        return 2;
    }
    alarm(120);
    try {
        run(std::atoi(argv[1]), std::size_t(std::atol(argv[2])), std::atoi(argv[3]), std::int64_t(std::atoll(argv[4])) * 1'000'000,
            argv + 5, argv + argc);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "echo_load: %s\n", e.what());
        return 1;
    }
}
