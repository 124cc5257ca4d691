// program.hpp - what a differential test runs: actors, each a tree of statements about the ends of a few connections.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace differential {

enum class verb : std::uint8_t {
    send,              // `number` bytes from `end`
    send_uncounted,    // nobody counts what becomes of it
    send_shrunk,       // the same with the system's send buffer made small before
    send_until_lost,   // small pieces until an error says that the peer has gone
    receive,           // at `end` until `number` bytes have come in all
    receive_end,       // until the end
    exactly,           // read_exactly of `number` bytes
    half_close,
    close,
    reset,
    refused,   // connect to a port where nobody listens; throws what comes
    set,       // event `number`
    wait,
    timeout,         // `number` milliseconds around blocks[0]
    spawn,           // blocks[0] as the task `slot`
    cancel,          // the task `slot`, after `number` turns
    join,            // the task `slot`
    join_shielded,   // for `number` milliseconds, and without harm to it
    cancel_actor,    // the actor `number`
    group,           // blocks[0] is its body, the others its children
    fail,            // throws `number`
    finally,         // blocks[0], then blocks[1] however that ended
};

/// How a receive reads.
enum class style : std::uint8_t { plain, waits_first, two_buffers };

struct statement;
using block = std::vector<statement>;

struct statement {
    verb what{};
    int end = 0;
    int number = 0;
    int slot = -1;
    int size = 0;   // of the pieces that are read or written; 0: as much as there is
    style how = style::plain;
    bool when_begun = false;   // cancel and close: not before the task `slot` stands in its first await
    std::vector<block> blocks;
};

/// How the connections are made.
enum class beginning : std::uint8_t {
    in_turn,
    at_once,
    accept_cancelled,        // before anybody connects
    accept_cancel_races,     // with a client that connects
    accept_takes_too_long,   // a timeout around an accept, before anybody connects
};

/// Connection i has the ends 2i, which connected, and 2i + 1, which was accepted.
struct program {
    std::uint64_t seed = 0;
    beginning begins{};
    bool closes_listener = false;   // with an accept pending
    int connections = 0;
    int events = 0;
    int slots = 0;
    bool is_racy = false;    // more than one outcome may be right
    bool is_large = false;   // many bytes
    std::vector<block> actors;
};

std::string to_string(const program&);

}
