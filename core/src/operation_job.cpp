// operation_job.cpp - an operation that the backend can only do by blocking, on a thread of the pool.
#include <corun/backend.hpp>
#include <corun/detail/frame_pool.hpp>
#include <corun/detail/io_awaiter.hpp>
#include <corun/detail/pool_job.hpp>
#include <corun/loop.hpp>

#include <new>
#include <system_error>

namespace corun::detail {
namespace {

struct operation_job final : pool_job {
    operation_job(operation& o, backend& b) noexcept : pool_job(&act_on, &come_back), card(o), engine(b) {}

    static void act_on(pool_job& j, verb v) noexcept {
        auto& self = static_cast<operation_job&>(j);
        if (v == verb::perform) {
            self.engine.perform(self.card);
        } else {
            self.~operation_job();
            free_block(&self, sizeof(operation_job));
        }
    }
    static void come_back(entry& e, loop* turning) noexcept {
        auto& self = static_cast<operation_job&>(e);
        if (turning)
            core_of(*turning).schedule(*self.card.waiting_task());
        self.release();
    }

    operation& card;
    backend& engine;
};

}

void perform_on_pool(operation& o) noexcept {
    try {
        loop_core& core = this_core();
        auto* const job = ::new (allocate_block(sizeof(operation_job))) operation_job(o, *core.engine);
        try {
            start_on_pool(core, *job);
            job->release();   // the pool's alone from here
        } catch (...) {
            job->release();
            throw;
        }
    } catch (const std::system_error& e) {
        o.finish(e.code().value());
    } catch (...) {
        o.finish(native_code(std::errc::not_enough_memory));
    }
}

}
