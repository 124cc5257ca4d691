// common_test.cpp - a host of a program's own: three functions over a queue and poll(2), as docs/embedding/writing-a-host.md shows it.
#include <corun/corun.hpp>
#include <corun/guest.hpp>
#include <corun/host_pump.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include <poll.h>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// A loop of the plainest kind, for one thread: nothing of it may be called on another.
class plain_loop {
public:
    void call_soon(std::function<void()> f) {
        strangers_ += std::this_thread::get_id() != thread_;
        queue_.push_back(std::move(f));
    }
    void watch(int fd, std::function<void()> f) {
        watched_ = fd;
        on_readable_ = std::move(f);
    }
    void set_timer(std::chrono::milliseconds d, std::function<void()> f) {
        due_ = std::chrono::steady_clock::now() + d;
        on_due_ = std::move(f);
    }
    void run_until(const std::function<bool()>& is_enough) {
        while (!is_enough()) {
            if (!queue_.empty()) {
                const auto f = std::move(queue_.front());
                queue_.pop_front();
                f();
                continue;
            }
            pollfd p{.fd = watched_, .events = POLLIN, .revents = 0};
            if (::poll(&p, 1, left()) > 0)
                on_readable_();
            else if (const auto f = std::exchange(on_due_, nullptr))
                f();
        }
    }
    int strangers() const noexcept { return strangers_; }

private:
    int left() const {
        if (!on_due_)
            return -1;
        const auto d = std::chrono::ceil<std::chrono::milliseconds>(due_ - std::chrono::steady_clock::now());
        return d.count() > 0 ? static_cast<int>(d.count()) : 0;
    }

    const std::thread::id thread_ = std::this_thread::get_id();
    std::deque<std::function<void()>> queue_;
    int watched_ = -1;
    std::function<void()> on_readable_;
    std::chrono::steady_clock::time_point due_;
    std::function<void()> on_due_;
    int strangers_ = 0;
};

class plain_host final : host_pump {
public:
    plain_host(plain_loop& l, guest& g) : host_pump(g), loop_(l) { attach(watched_by::poll); }
    ~plain_host() { detach(); }

private:
    void call_soon() noexcept override {
        loop_.call_soon([this] { dispatch(); });
    }
    void sleep(native_handle handle, std::optional<duration> at_most) override {
        loop_.watch(static_cast<int>(handle), [this] { dispatch(); });
        if (at_most)
            loop_.set_timer(std::chrono::ceil<std::chrono::milliseconds>(*at_most), [this] { dispatch(); });
    }
    void stop() noexcept override { loop_.watch(-1, nullptr); }

    plain_loop& loop_;
};

}

TEST_CASE("EMB-23 a host of a program's own is three functions, none of which another thread calls where the guest has a handle") {
    plain_loop loop;
    guest g;
    REQUIRE(g.news() == guest_news::handle);
    plain_host host(loop, g);
    event posted;
    std::string got;
    std::optional<outcome<int>> end;
    std::thread other;
    g.start(
        [&]() -> task<int> {
            auto pair = co_await connected_pair();
            other = std::thread([&, ref = g.get_loop().ref()] { ref.post([&] { posted.set(); }); });
            co_await posted.wait();
            co_await sleep_for(1ms);
            auto reads = spawn([&]() -> task<> { got = co_await read_some(pair.theirs); });
            co_await sleep_for(1ms);
            co_await write_all(pair.ours, as_bytes("hello"));
            co_await reads;
            const int from_pool = co_await to_thread([] { return 7; });
            co_return from_pool;
        },
        [&](outcome<int> o) { end.emplace(std::move(o)); });
    loop.run_until([&] { return g.is_finished(); });
    other.join();
    REQUIRE(end);
    CHECK(end->value() == 7);
    CHECK(got == "hello");
    CHECK(loop.strangers() == 0);
}
