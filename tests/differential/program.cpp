// program.cpp - a program as text, to be read by people.
#include "program.hpp"

namespace differential {
namespace {

std::string on(const statement& s) { return " at " + std::to_string(s.end); }

std::string amount(const statement& s) {
    std::string text = " " + std::to_string(s.number);
    if (s.size > 0)
        text += " by " + std::to_string(s.size);
    if (s.how == style::waits_first)
        text += ", readable first";
    if (s.how == style::two_buffers)
        text += ", into two buffers";
    return text;
}

std::string line_of(const statement& s) {
    const std::string number = " " + std::to_string(s.number);
    const std::string slot = " t" + std::to_string(s.slot);
    const std::string once = s.when_begun ? " once" + slot + " has begun" : "";
    switch (s.what) {
    case verb::send: return "send" + on(s) + amount(s);
    case verb::send_uncounted: return "send, uncounted," + on(s) + amount(s);
    case verb::send_shrunk: return "send with a small buffer" + on(s) + amount(s);
    case verb::send_until_lost: return "send until lost" + on(s);
    case verb::receive: return "receive" + on(s) + " until" + amount(s) + once;
    case verb::receive_end: return "receive" + on(s) + " until the end";
    case verb::exactly: return "receive" + on(s) + " exactly" + number;
    case verb::half_close: return "half-close" + on(s);
    case verb::close: return "close" + on(s) + once;
    case verb::reset: return "reset" + on(s);
    case verb::refused: return "connect to nobody";
    case verb::set: return "set event" + number + once;
    case verb::wait: return "wait for event" + number;
    case verb::timeout: return "timeout" + number + " ms";
    case verb::spawn: return "spawn" + slot;
    case verb::cancel: return "cancel" + slot + " after" + number + " turns" + once;
    case verb::join: return "join" + slot;
    case verb::join_shielded: return "join" + slot + " shielded, timeout" + number + " ms";
    case verb::cancel_actor: return "cancel actor" + number;
    case verb::group: return "group";
    case verb::fail: return "throw E" + std::to_string(s.number);
    case verb::finally: return "finally";
    }
    return "?";
}

void print(const block& b, const std::string& indent, std::string& text) {
    for (const statement& s : b) {
        text += indent + line_of(s) + "\n";
        for (std::size_t i = 0; i < s.blocks.size(); ++i) {
            if (i > 0)
                text += indent + (s.what == verb::group ? "child\n" : "and then\n");
            print(s.blocks[i], indent + "    ", text);
        }
    }
}

}

std::string to_string(const program& p) {
    static constexpr const char* beginnings[] = {"one after the other", "at once", "after an accept that is cancelled",
                                                 "beside an accept that is cancelled", "after an accept that takes too long"};
    std::string text = "seed " + std::to_string(p.seed) + ": " + std::to_string(p.connections) + " connections, " +
                       beginnings[static_cast<int>(p.begins)] + (p.closes_listener ? "; the listener is closed under an accept" : "") +
                       (p.is_racy ? "; racy" : "") + "\n";
    for (std::size_t i = 0; i < p.actors.size(); ++i) {
        text += "actor " + std::to_string(i) + "\n";
        print(p.actors[i], "    ", text);
    }
    return text;
}

}
