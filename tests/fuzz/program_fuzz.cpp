// program_fuzz.cpp - bytes are a program of the whole memory API and of simulated TCP. Sanitizers, the library's own assertions and the
// count of frames judge; an end in virtual time is enough for the rest.
#include "moves.hpp"

#include <corun/corun.hpp>
#include <corun/sim.hpp>

#include <chrono>
#include <exception>

using namespace corun;
using namespace std::chrono_literals;

namespace {

task<> plays(fuzz::world& w) {
    for (int i = 0; i < 30 && !w.in.is_empty() && w.moves_left > 0; ++i) {
        (void)co_await settled(timeout(200ms, fuzz::block(w, 0)));
        if (w.in.one_in(20))
            (void)dump_tasks_json(loop::current());
        if (w.in.one_in(10))
            co_await yield();
    }
    w.moves_left = 0;
}

}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::size_t frames = live_frames();
    {
        fuzz::world w(fuzz::input({data, size}));
        const unsigned how = w.in.below(4);
        auto options =
            run_options().with(make_sim(w.in.below(256))).on_exception([](const exception_report& r) { (void)describe(r.error); });
        if (how & 1)
            options = std::move(options).debug(true);
        if (how & 2)
            options = std::move(options).shutdown_grace(5ms);
        try {
            run(std::move(options), plays, std::ref(w));
        } catch (const std::exception&) {   // an error may end the run: what counts is what it leaves
        } catch (const cancelled&) {
        }
    }
    fuzz::must(live_frames() == frames, "no frame is left");
    return 0;
}
