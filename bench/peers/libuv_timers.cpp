// libuv_timers.cpp - B1 and B2 in libuv: uv_timer_t, started to fire and started to be stopped.
#include "question.hpp"

#include <uv.h>

#include <cstddef>
#include <cstdlib>
#include <vector>

namespace {

class loop {
public:
    loop() {
        if (uv_loop_init(&loop_) != 0)
            std::abort();
    }
    loop(const loop&) = delete;
    ~loop() {
        if (uv_loop_close(&loop_) != 0)
            std::abort();
    }
    operator uv_loop_t*() noexcept { return &loop_; }

private:
    uv_loop_t loop_;
};

void close(uv_timer_t& t) { uv_close(reinterpret_cast<uv_handle_t*>(&t), nullptr); }

void sleep_all(std::int64_t n) {
    loop l;
    bench::delays delays;
    std::vector<uv_timer_t> timers{std::size_t(n)};
    for (auto& t : timers) {
        uv_timer_init(l, &t);
        uv_timer_start(&t, [](uv_timer_t* fired) { close(*fired); }, std::uint64_t(delays.next(100'000) + 999) / 1000, 0);
    }
    uv_run(l, UV_RUN_DEFAULT);
}

void set_and_cancel(std::int64_t n) {
    loop l;
    bench::delays delays;
    std::vector<uv_timer_t> timers{std::size_t(n)};
    for (auto& t : timers) {
        uv_timer_init(l, &t);
        uv_timer_start(&t, [](uv_timer_t*) { std::abort(); }, std::uint64_t(3'600'000 + delays.next(100'000'000) / 1000), 0);
    }
    for (auto& t : timers)
        close(t);
    uv_run(l, UV_RUN_DEFAULT);
}

const bench::question b1("B1", sleep_all);
const bench::question b2("B2", set_and_cancel);

}
