// shut_down.hpp - how a loop ends: rounds of cancelling, the pool, the posts, then nothing more (1.3).
#pragma once

#include <corun/loop.hpp>

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
    void tell_of_leftovers(const std::vector<task_ref>& round) noexcept;
    void close_generators();
    void join_pool();
    void run_posts() noexcept;
    bool refuse_posts() noexcept;
    void give_up();
    void end_operations(const std::vector<task_ref>& left) noexcept;
    void destroy_frames(const std::vector<task_ref>& left) noexcept;
    void drop_entries() noexcept;

    loop& loop_;
    grace_timer grace_timer_;
    std::optional<duration> grace_;
    duration pool_grace_;
};

}
