// script.cpp - what statements are made of, and what fits where.
#include "script.hpp"

namespace differential {

script::script(std::uint64_t seed) : draw(seed) {
    made.seed = seed;
    made.connections = draw.one_of({1, 1, 1, 2, 2, 3});
    made.actors.resize(static_cast<std::size_t>(draw.between(2, 5)));
    made.begins = static_cast<beginning>(draw.one_of({0, 0, 0, 1, 1, 2, 3, 4}));
    made.is_racy = made.begins == beginning::accept_cancel_races;
    made.closes_listener = draw.one_in(3);
    ends_.resize(static_cast<std::size_t>(2 * made.connections));
    const int actors = static_cast<int>(made.actors.size());
    for (int c = 0; c < made.connections; ++c) {
        at(2 * c).owner = draw.below(actors);
        at(2 * c + 1).owner = somebody_but(owner(2 * c));
    }
}

bool script::can_send(int e) {
    const end_state& peer = at(peer_of(e));
    return at(e).is_open && at(e).sends && !at(e).is_lost && peer.is_open;
}

bool script::can_receive(int e) { return at(e).is_open && !at(e).is_lost && !at(e).has_ended; }

bool script::can_close(int e) { return at(e).is_open && !at(e).is_lost && unread(e) == 0; }

bool script::waits_in_vain(int e) {
    const end_state& peer = at(peer_of(e));
    return can_receive(e) && unread(e) == 0 && peer.is_open && peer.sends;
}

bool script::is_idle(int e) { return waits_in_vain(e) && waits_in_vain(peer_of(e)); }

bool script::find_end(int& e, bool (script::*fits)(int)) {
    const int count = static_cast<int>(ends_.size());
    const int first = draw.below(count);
    for (int i = 0; i < count; ++i) {
        e = (first + i) % count;
        if ((this->*fits)(e))
            return true;
    }
    return false;
}

void script::order(int before, int after) {
    if (before == after)
        return;
    add(before, about(verb::set, 0, made.events));
    add(after, about(verb::wait, 0, made.events++));
}

int script::somebody_but(int actor) {
    const int actors = static_cast<int>(made.actors.size());
    return (actor + 1 + draw.below(actors - 1)) % actors;
}

statement script::about(verb what, int e, int number) {
    statement s;
    s.what = what;
    s.end = e;
    s.number = number;
    return s;
}

statement script::within(verb what, int number, block body) {
    statement s = about(what, 0, number);
    s.blocks.push_back(std::move(body));
    return s;
}

statement script::of_task(verb what, int slot, int number) {
    statement s = about(what, 0, number);
    s.slot = slot;
    return s;
}

statement script::sending(int e, int count) {
    statement s = about(verb::send, e, count);
    if (draw.one_in(2))
        s.size = draw.between(1 + count / 16, count);
    return s;
}

statement script::sending_uncounted(int e, int count) {
    statement s = sending(e, count);
    s.what = verb::send_uncounted;
    return s;
}

statement script::receiving(int e, int count) {
    statement s = about(verb::receive, e, count);
    const int amount = count - at(e).received;
    s.how = static_cast<style>(draw.one_of({0, 0, 1, 2}));
    if (draw.one_in(2))
        s.size = draw.between(1 + amount / 16, amount + 1);
    return s;
}

block script::spawned(int slot, block body) {
    statement s = within(verb::spawn, 0, std::move(body));
    s.slot = slot;
    block b;
    b.push_back(std::move(s));
    return b;
}

void script::receive_all(int e) {
    if (unread(e) > 0)
        add(owner(e), receiving(e, at(peer_of(e)).sent));
    at(e).received = at(peer_of(e)).sent;
}

}
