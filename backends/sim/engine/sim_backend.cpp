// sim_backend.cpp - a virtual clock and a network in memory behind the seam.
#include "../network/unconnected.hpp"
#include "answers.hpp"
#include "world.hpp"

#include <algorithm>
#include <atomic>
#include <new>

namespace corun {
namespace {

class sim_backend final : public backend, public simulation {
public:
    explicit sim_backend(std::shared_ptr<sim::world> w) noexcept : shared_(std::move(w)), world_(*shared_) {}

    time_point now() const noexcept override { return world_.now; }

    waited wait(time_point deadline, operation_list& finished) noexcept override {
        world_.deliver_due();
        if (hand_over(finished) || woken_.exchange(false))
            return waited::news;
        if (deadline <= world_.now || world_.chance.one_in(world_.options.spurious))
            return waited::nothing;
        const time_point next = std::min(deadline, world_.next_event());
        if (next == no_deadline)
            return waited::never;
        world_.now = next;
        world_.note(static_cast<std::uint64_t>(next.time_since_epoch().count()));
        world_.deliver_due();
        return hand_over(finished) ? waited::news : waited::nothing;
    }
    void wake() noexcept override {
        woken_ = true;
        woken_.notify_one();
    }

    submitted submit(operation& o) noexcept override {
        try {
            return world_.submit(o);
        } catch (const std::bad_alloc&) {
            sim::answer(o, std::errc::not_enough_memory);
            return submitted::finished;
        }
    }
    bool cancel(operation& o) noexcept override { return world_.names.cancel(o); }

    result<handle> open(socket_type type) noexcept override {
        try {
            return open_socket(world_, world_.net, type);
        } catch (const std::bad_alloc&) {
            return sim::error(std::errc::not_enough_memory);
        }
    }
    result<handle> adopt(native_handle, handle_kind) noexcept override { return sim::error(std::errc::operation_not_supported); }
    std::error_code control(handle h, control_request& r) noexcept override {
        sim::object* const named = world_.names.find(h);
        if (!named)
            return sim::error(std::errc::bad_file_descriptor);
        try {
            return named->control(r);
        } catch (const std::bad_alloc&) {
            return sim::error(std::errc::not_enough_memory);
        }
    }
    std::error_code close(handle h) noexcept override { return world_.names.close(h); }

    native_handle wait_handle() noexcept override { return no_native_handle; }
    void block(time_point) noexcept override { woken_.wait(false); }   // virtual deadlines are none here
    bool on_news(void (*)(void*) noexcept, void*) noexcept override { return false; }
    bool catch_interrupts(interrupt_counter&) noexcept override { return false; }
    void release_interrupts(interrupt_counter&) noexcept override {}
    simulation* simulated() noexcept override { return this; }
    std::string_view name() const noexcept override { return "sim"; }

    bool shuffles_ready() const noexcept override { return world_.options.shuffle_ready; }
    std::uint32_t choose(std::uint32_t n) noexcept override { return world_.chance.below(n); }

private:
    /// True if there was something.
    bool hand_over(operation_list& finished) {
        std::vector<operation*>& done = world_.names.finished;
        if (world_.options.shuffle_completions)
            for (std::size_t i = 0; i + 1 < done.size(); ++i)
                std::swap(done[i], done[i + world_.chance.below(static_cast<std::uint32_t>(done.size() - i))]);
        for (operation* const o : done)
            finished.push_back(*o);
        done.clear();
        return !finished.empty();
    }

    std::shared_ptr<sim::world> shared_;
    sim::world& world_;
    std::atomic<bool> woken_ = false;
};

}

std::unique_ptr<backend> make_sim(const sim_options& options, sim_control& control) {
    control.state().begin(options.settings());
    return std::make_unique<sim_backend>(control.shared());
}

std::unique_ptr<backend> make_sim(const sim_options& options) {
    sim_control control;
    return make_sim(options, control);
}

std::unique_ptr<backend> make_sim(std::uint64_t seed) { return make_sim(sim_options(seed)); }

}
