// program.hpp - the oracle's programs: trees of statements, read from JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace oracle {

enum class verb : std::uint8_t {
    sleep,
    mark,
    spawn,
    cancel,
    wait,
    await,
    shield,
    group,
    timeout,
    throw_error,
    catch_errors,
    swallow,
    finally,
    event_set,
    event_wait,
    lock,
    semaphore,
    put,
    get,
    condition_wait,
    notify,
};

struct statement;
using block = std::vector<statement>;

struct statement {
    verb what{};
    int number = 0;              // milliseconds, an index or an error, as the verb has it
    block body;                  // of a group: the group's own
    block second;                // of finally: the clean-up
    std::vector<block> bodies;   // of a group: the children's
};

struct program {
    std::uint64_t seed = 0;
    block main;
    std::string trace;   // CPython's, as compact JSON; empty if the line has none
};

/// Reads a line `{"seed":N,"program":[..]}`; throws std::runtime_error that says what is wrong with it.
program parse_program(const std::string& line);

/// Says where two traces (compact JSON) first differ; empty if they are equal.
std::string compare_traces(const std::string& expected, const std::string& actual);

}
