// question.cpp - questions as Google Benchmark's.
#include "question.hpp"

#include <benchmark/benchmark.h>

namespace bench {

question::question(const char* row, void (*answer)(std::int64_t n)) {
    // A million for the clock. The difference of the small ones is what an operation takes in instructions; a thousand shows how it grows.
    benchmark::RegisterBenchmark(row,
                                 [answer](benchmark::State& state) {
                                     for (auto _ : state)
                                         answer(state.range(0));
                                 })
        ->Arg(1'000)
        ->Arg(100'000)
        ->Arg(200'000)
        ->Arg(1'000'000)
        ->MeasureProcessCPUTime();
}

}
