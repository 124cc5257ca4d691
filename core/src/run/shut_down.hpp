// shut_down.hpp - how a loop ends: rounds of cancelling, the pool, the posts, then nothing more (1.3). In steps between turns, so that
// whoever turns the loop goes on doing so.
#pragma once

#include <corun/loop.hpp>
#include <corun/task_handle.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace corun::detail {

class shut_down {
public:
    shut_down(loop& l, std::optional<duration> grace, duration pool_grace) noexcept;
    shut_down(const shut_down&) = delete;

    /// Between two turns of the loop, which must be current: goes on as far as it can. True once the loop has closed (or is a parent's);
    /// until then a turn is next.
    bool advance() noexcept;

    /// Stops the loop when the grace has passed, if there is one: of shut down, or of a main that was asked to end before it.
    void begin_grace() noexcept;
    void end_grace() noexcept;

private:
    enum class stage : std::uint8_t { beginning, rounds, generators, pool, posts, refusing, operations, calls, over };

    struct grace_timer : entry {
        explicit grace_timer(loop& l) noexcept;
        loop& ending;
        timer_node timer;
    };

    // Each is true when it has done its part, false where a turn comes first.
    bool cancel_in_rounds();
    bool close_generators();
    void make_calls() noexcept;
    bool join_pool() noexcept;
    bool run_posts() noexcept;
    bool refuse_posts() noexcept;

    void begin();
    void begin_round();
    bool is_round_over() noexcept;
    void end_round() noexcept;
    void begin_round_without_list() noexcept;
    void begin_to_close(generator_promise&) noexcept;
    void end_closing() noexcept;
    void close_loop() noexcept;
    bool is_round_without_list_over() noexcept;
    template <class F>
    void for_each_in_batches(F f) noexcept;
    template <class F>
    void for_each_in_order(F f) noexcept;
    void tell_of_leftovers() noexcept;
    bool may_wait() const noexcept { return is_giving_up_ || !loop_.attention.is_stopped(); }
    void begin_to_give_up() noexcept;
    void hold_entries() noexcept;
    void give_up() noexcept;
    void destroy_frames() noexcept;
    void destroy_frames_of(task_state&) noexcept;
    void drop_entries() noexcept;

    loop& loop_;
    grace_timer grace_timer_;
    std::optional<duration> grace_;
    duration pool_grace_;
    stage stage_ = stage::beginning;

    bool in_round_ = false;
    std::vector<task_ref> round_;    // empty without memory for it
    std::size_t ended_ = 0;          // the first of the round are done
    std::uint64_t round_last_ = 0;   // without a list: the last of its tasks
    task_ref unfinished_;            // and one of them

    task_handle<> closing_;   // of the generator whose turn it is

    bool joining_ = false;
    entry on_pool_bound_;
    timer_node pool_bound_;

    bool ran_posts_ = false;

    bool is_giving_up_ = false;   // no task is resumed any more
    entry_list held_;             // what came to be ready since
};

}
