// question.hpp - how a question is asked: an answer is a function that does something n times.
#pragma once

#include <cstdint>
#include <random>

namespace bench {

/// Registers an answer under its row's name; one static object each.
class question {
public:
    question(const char* row, void (*answer)(std::int64_t n));
};

/// The delays of the timer rows: the same sequence for every competitor.
class delays {
public:
    /// In microseconds, less than `limit`.
    std::int64_t next(std::int64_t limit) { return std::int64_t(random_() % std::uint64_t(limit)); }

private:
    std::minstd_rand random_{1};
};

}
