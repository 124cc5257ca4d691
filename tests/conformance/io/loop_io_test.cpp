// loop_io_test.cpp - the kernel's news among everything else: fair shares, and objects that go while their news is on the way.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/scale.hpp>
#include <support/turns.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// Returns from every other wait with nothing, at once, as if the system had reported nobody's news.
class spurious_backend final : public backend {
public:
    explicit spurious_backend(int& spurious) : real_(make_default_backend()), spurious_(spurious) {}

    time_point now() const noexcept override { return real_->now(); }
    waited wait(time_point deadline, operation_list& finished) noexcept override {
        if (deadline > real_->now() && (is_odd_ = !is_odd_)) {
            ++spurious_;
            return waited::nothing;
        }
        return real_->wait(deadline, finished);
    }
    void wake() noexcept override { real_->wake(); }
    submitted submit(operation& o) noexcept override { return real_->submit(o); }
    void perform(operation& o) noexcept override { real_->perform(o); }
    void take_back(operation& o) noexcept override { real_->take_back(o); }
    bool cancel(operation& o) noexcept override { return real_->cancel(o); }
    result<handle> open(socket_type t) noexcept override { return real_->open(t); }
    result<handle> adopt(native_handle h, handle_kind k) noexcept override { return real_->adopt(h, k); }
    std::error_code control(handle h, control_request& r) noexcept override { return real_->control(h, r); }
    std::error_code close(handle h) noexcept override { return real_->close(h); }
    native_handle wait_handle() noexcept override { return real_->wait_handle(); }
    void block(time_point deadline) noexcept override { real_->block(deadline); }
    bool on_news(void (*call)(void*) noexcept, void* context) noexcept override { return real_->on_news(call, context); }
    bool catch_interrupts(interrupt_counter& c) noexcept override { return real_->catch_interrupts(c); }
    void release_interrupts(interrupt_counter& c) noexcept override { real_->release_interrupts(c); }
    std::string_view name() const noexcept override { return real_->name(); }

private:
    std::unique_ptr<backend> real_;
    int& spurious_;
    bool is_odd_ = false;
};

/// Yields until it is cancelled: the ready queue is never empty.
task<> yield_for_ever(std::uint64_t& times) {
    for (;;) {
        co_await yield();
        ++times;
    }
}

/// Writes for ever.
task<> flood(tcp_stream& s) {
    const std::vector<std::byte> piece(65536);
    for (;;)
        co_await s.write(piece);
}

/// Reads for ever, and counts the reads.
task<> drain(tcp_stream& s, std::size_t at_once, std::uint64_t& reads) {
    std::vector<std::byte> buffer(at_once);
    for (;;) {
        co_await s.read(buffer);
        ++reads;
    }
}

}

TEST_CASE("LOOP-03 of 500 sockets that are always readable each is read before any is read a third time") {
    const auto main = []() -> task<> {
        constexpr std::size_t sockets = 500;
        constexpr std::size_t bytes_each = 300;
        std::vector<stream_pair> pairs;
        for (std::size_t i = 0; i < sockets; ++i) {
            auto p = co_await connected_pair();
            co_await write_all(p.theirs, const_bytes(std::vector<std::byte>(bytes_each)));
            pairs.push_back(std::move(p));
        }
        // A run: up to 64 reads of one reader in a row.
        std::vector<int> runs(sockets, 0);
        std::size_t last = sockets;
        std::size_t reads_in_run = 0;
        std::size_t most_reads_in_run = 0;
        bool fair = true;
        const auto reads = [&](std::size_t i) -> task<> {
            std::array<std::byte, 1> byte;
            for (std::size_t n = 0; n < bytes_each; ++n) {
                co_await pairs[i].ours.read(byte);
                if (last != i || reads_in_run == 65) {
                    last = i;
                    reads_in_run = 0;
                    if (++runs[i] == 3)
                        fair = fair && std::all_of(runs.begin(), runs.end(), [](int r) { return r > 0; });
                }
                most_reads_in_run = std::max(most_reads_in_run, ++reads_in_run);
            }
        };
        std::vector<task_handle<>> readers;
        for (std::size_t i = 0; i < sockets; ++i)
            readers.push_back(spawn(reads, i));
        for (auto& r : readers)
            co_await r;
        CHECK(fair);
        // The read that resumed it, and 64 more.
        CHECK(most_reads_in_run <= 65);
        CHECK(runs[0] >= 3);
    };
    run(main);
}

TEST_CASE("LOOP-04 a socket becomes readable beside a task that yields for ever: it is served within 64 turns") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        std::uint64_t times = 0;
        auto busy = spawn(yield_for_ever, std::ref(times));
        for (int i = 0; i < 20; ++i) {
            std::uint64_t served_at = 0;
            const auto reads = [&]() -> task<> {
                std::array<std::byte, 1> byte;
                co_await pair.ours.read(byte);
                served_at = turn_number();
            };
            auto reading = spawn(reads);
            co_await yield();
            const auto sent_at = turn_number();
            co_await write_all(pair.theirs, as_bytes("x"));
            co_await reading;
            CHECK(served_at - sent_at <= 64);
        }
        busy.cancel();
        co_await wait(busy);
        CHECK(times > 0);
    };
    run(main);
}

TEST_CASE("LOOP-05 a timer fires beside a peer that floods, and the reader lets others run after 64 reads") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        std::uint64_t reads = 0;
        std::uint64_t most_between = 0;
        auto flooding = spawn(flood, std::ref(pair.theirs));
        auto draining = spawn(drain, std::ref(pair.ours), std::size_t(16), std::ref(reads));
        const auto watches = [&]() -> task<> {
            for (;;) {
                const std::uint64_t before = reads;
                co_await yield();
                most_between = std::max(most_between, reads - before);
            }
        };
        auto watching = spawn(watches);
        const auto begun = clock::now();
        co_await sleep_for(10ms);
        const auto took = clock::now() - begun;
        CHECK(took >= 10ms);
        CHECK(took <= 10ms + late_allowance());
        CHECK(reads > 64);
        CHECK(most_between <= 65);   // the one that resumed it, and 64 inline
        for (auto* t : {&flooding, &draining, &watching}) {
            t->cancel();
            co_await wait(*t);
        }
    };
    run(main);
}

TEST_CASE("LOOP-06 a sender that can always send leaves a second connection its progress") {
    const auto main = []() -> task<> {
        auto busy = co_await connected_pair();
        auto quiet = co_await connected_pair();
        std::uint64_t drained = 0;
        const auto sends = [&]() -> task<> {
            for (;;)
                co_await busy.ours.write(as_bytes("x"));   // the peer takes more than we send
        };
        auto sending = spawn(sends);
        auto draining = spawn(drain, std::ref(busy.theirs), std::size_t(65536), std::ref(drained));
        const auto echoes = [&]() -> task<> {
            std::array<std::byte, 1> byte;
            for (;;) {
                co_await read_exactly(quiet.theirs, byte);
                co_await write_all(quiet.theirs, byte);
            }
        };
        auto echoing = spawn(echoes);
        for (int i = 0; i < 20; ++i) {
            std::array<std::byte, 1> byte;
            const auto before = turn_number();
            co_await write_all(quiet.ours, as_bytes("y"));
            co_await read_exactly(quiet.ours, byte);
            CHECK(turn_number() - before <= 2 * 64);   // there and back
        }
        for (auto* t : {&sending, &draining, &echoing}) {
            t->cancel();
            co_await wait(*t);
        }
    };
    run(main);
}

TEST_CASE("LOOP-10 a read that is given up and begun again 1,000 times: nothing is refused, and one piece of data is one answer") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        std::vector<std::string> answers;
        const auto reads = [&]() -> task<> {
            std::array<std::byte, 16> buffer;
            const std::size_t count = co_await pair.ours.read(buffer);
            answers.emplace_back(as_text(const_bytes(buffer).first(count)));
        };
        for (int i = 0; i < 1000; ++i) {
            auto reading = spawn(reads);
            co_await yield();
            reading.cancel();
            co_await wait(reading);
            REQUIRE(reading.is_cancelled());
        }
        auto reading = spawn(reads);
        co_await yield();
        co_await write_all(pair.theirs, as_bytes("once"));
        co_await reading;
        CHECK(answers == std::vector<std::string>{"once"});
        CHECK(loop::current().counters().pending_operations == 0);
    };
    run(main);
}

TEST_CASE(
    "LOOP-11 a stream is closed by a task whose own news came in the same batch: its reader ends once, with bytes or operation_canceled") {
    const auto main = []() -> task<> {
        auto a = co_await connected_pair();
        auto b = co_await connected_pair();
        auto closed = std::make_unique<tcp_stream>(std::move(b.ours));
        std::vector<result<std::size_t>> ends;
        const auto closes = [&]() -> task<> {
            std::array<std::byte, 1> byte;
            co_await a.ours.read(byte);
            closed.reset();   // memory and all
        };
        const auto reads = [&]() -> task<> {
            std::array<std::byte, 1> byte;
            const auto got = co_await as_result(closed->read(byte));
            ends.push_back(got);
        };
        auto closing = spawn(closes);
        auto reading = spawn(reads);
        co_await yield();
        // Both pieces are there before the next wait.
        co_await write_all(a.theirs, as_bytes("x"));
        co_await write_all(b.theirs, as_bytes("x"));
        co_await closing;
        co_await reading;
        REQUIRE(ends.size() == 1);
        if (ends[0])
            CHECK(*ends[0] == 1);
        else
            CHECK(ends[0].error() == std::errc::operation_canceled);
    };
    run(main);
}

TEST_CASE("LOOP-12 the closed stream's number is used again at once: the new one receives what was sent to it, nothing else") {
    const auto main = []() -> task<> {
        auto listener = tcp_listener::bind(loopback());
        for (int i = 0; i < 200; ++i) {
            auto a = co_await connected_pair();
            auto b = co_await connected_pair();
            auto waits = co_await connect(listener.local_address());   // in the backlog: one accept makes a stream of it
            std::optional<tcp_stream> c;
            const auto replaces = [&]() -> task<> {
                std::array<std::byte, 1> byte;
                co_await a.ours.read(byte);
                b.ours.close();
                auto s = co_await listener.accept();
                c.emplace(std::move(s));
            };
            const auto reads = [&]() -> task<> {
                std::array<std::byte, 16> buffer;
                (void)co_await as_result(b.ours.read(buffer));
            };
            auto replacing = spawn(replaces);
            auto reading = spawn(reads);
            co_await yield();
            co_await write_all(a.theirs, as_bytes("x"));
            co_await write_all(b.theirs, as_bytes("for the old one"));
            co_await replacing;
            co_await reading;
            co_await write_all(waits, as_bytes("own"));
            std::array<std::byte, 16> buffer;
            const std::size_t count = co_await c->read(buffer);
            REQUIRE(as_text(const_bytes(buffer).first(count)) == "own");
        }
    };
    run(main);
}

TEST_CASE("LOOP-13 a stream and its task's other memory may go in the step that its news began; the loop goes on") {
    const auto main = []() -> task<> {
        struct session {
            explicit session(tcp_stream s) noexcept : stream(std::move(s)) {}
            tcp_stream stream;
            std::array<std::byte, 64> buffer{};
        };
        for (int i = 0; i < 100; ++i) {
            auto pair = co_await connected_pair();
            auto owned = std::make_unique<session>(std::move(pair.ours));
            const auto serves = [](std::unique_ptr<session> s) -> task<std::size_t> {
                const std::size_t count = co_await s->stream.read(s->buffer);
                s.reset();
                co_return count;
            };
            auto serving = spawn(serves, std::move(owned));
            co_await yield();
            co_await write_all(pair.theirs, as_bytes("x"));
            const std::size_t count = co_await serving;
            CHECK(count == 1);
        }
        CHECK(loop::current().counters().open_handles == 0);
    };
    run(main);
}

TEST_CASE("LOOP-14 a wait that comes back early with nothing resumes no task and makes no timer early") {
    int spurious = 0;
    const auto main = [&]() -> task<> {
        auto pair = co_await connected_pair();
        bool read = false;
        const auto reads = [&]() -> task<> {
            std::array<std::byte, 1> byte;
            co_await pair.ours.read(byte);
            read = true;
        };
        auto reading = spawn(reads);
        for (int i = 0; i < 5; ++i) {
            const auto begun = clock::now();
            const auto resumed = loop::current().counters().resumptions;
            co_await sleep_for(2ms);
            CHECK(clock::now() - begun >= 2ms);
            CHECK(loop::current().counters().resumptions - resumed <= 2);   // this task, and the reader's first step
        }
        CHECK_FALSE(read);
        CHECK(spurious > 0);
        co_await write_all(pair.theirs, as_bytes("x"));
        co_await reading;
        CHECK(read);
    };
    run(run_options().with(std::make_unique<spurious_backend>(spurious)), main);
}
