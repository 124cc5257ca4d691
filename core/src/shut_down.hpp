// shut_down.hpp - how a loop ends: rounds of cancelling, the pool, the posts, then nothing more (1.3).
#pragma once

#include <corun/loop.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace corun::detail {

class shut_down {
public:
    shut_down(loop& l, std::optional<duration> grace, duration pool_grace) noexcept;

    /// Closes the loop, which must be current.
    void operator()() noexcept;

private:
    struct grace_timer : entry {
        explicit grace_timer(loop& l) noexcept;
        loop& ending;
        timer_node timer;
    };

    void begin();
    void cancel_in_rounds();
    void cancel_without_list() noexcept;
    task_state* task_after(std::uint64_t id) noexcept;
    task_state* last_task() noexcept;
    template <class F>
    void for_each_in_order(F f) noexcept;
    void tell_of_leftovers(const std::vector<task_ref>& round) noexcept;
    void close_generators();
    void join_pool();
    void run_posts() noexcept;
    bool refuse_posts() noexcept;
    void give_up() noexcept;
    void end_operations() noexcept;
    void destroy_frames() noexcept;
    void destroy_frames_of(task_state&) noexcept;
    void drop_entries() noexcept;

    loop& loop_;
    grace_timer grace_timer_;
    std::optional<duration> grace_;
    duration pool_grace_;
};

}
