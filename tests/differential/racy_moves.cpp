// racy_moves.cpp - what can happen at an end so that several outcomes are right: which of two is first is nobody's choice. One a program.
#include "script.hpp"

#include <algorithm>
#include <utility>

namespace differential {

/// Whether the sender learns of it by this send depends on how much the system takes at once; each later read says it again.
bool script::send_into_reset() {
    int e = 0;
    if (!find_end(e, &script::is_idle) || made.is_large || made.is_racy)
        return false;
    made.is_large = made.is_racy = true;
    const int count = 1 << 18;
    const int peer = peer_of(e);
    order(owner(e), owner(peer));   // what was sent before has been read
    add(owner(e), sending_uncounted(e, count));
    if (draw.one_in(2))
        add(owner(peer), receiving(peer, at(peer).received + draw.between(1, 1 << 16)));
    add(owner(peer), about(verb::reset, peer));
    add(owner(e), about(verb::receive_end, e));
    add(owner(e), sending_uncounted(e, 10));
    at(peer).is_open = false;
    at(e).is_lost = true;
    return true;
}

/// Whether the cancel or the data are first is open; that no byte is lost is not.
bool script::cancel_races_with_data() {
    int e = 0;
    if (!find_end(e, &script::waits_in_vain) || made.is_racy)
        return false;
    made.is_racy = true;
    const int slot = new_slot();
    const int me = owner(e);
    const int peer = peer_of(e);
    const int count = made.is_large ? draw.between(1, most_unread) : draw.one_of({1, 100, most_unread, 1 << 16});
    made.is_large = made.is_large || count > most_unread;
    add(me, spawned(slot, {receiving(e, at(e).received + count)}).front());
    statement cancels = of_task(verb::cancel, slot, draw.below(4));
    cancels.when_begun = draw.one_in(2);
    const int canceller = somebody_but(me);
    const bool is_first = draw.one_in(2);
    if (draw.one_in(2)) {   // in one turn, under a read that the system has
        statement begins = about(verb::set, 0, made.events);
        begins.slot = slot;
        begins.when_begun = true;
        add(me, std::move(begins));
        for (const int one : {is_first ? canceller : owner(peer), is_first ? owner(peer) : canceller})
            add(one, about(verb::wait, 0, made.events));
        ++made.events;
        cancels.number /= 2;
    }
    if (is_first)
        add(canceller, cancels);
    add(owner(peer), sending(peer, count));
    if (!is_first)
        add(canceller, cancels);
    add(me, of_task(verb::join, slot));
    at(peer).sent += count;
    receive_all(e);
    return true;
}

bool script::timeout_races_with_data() {
    int e = 0;
    if (!find_end(e, &script::waits_in_vain) || made.is_racy)
        return false;
    made.is_racy = true;
    const int count = draw.between(1, most_unread);
    const int peer = peer_of(e);
    const int bound = draw.between(0, 1);
    add(owner(e), within(verb::timeout, bound, {receiving(e, at(e).received + count)}));
    add(owner(peer), sending(peer, count));
    at(peer).sent += count;
    receive_all(e);
    return true;
}

/// The read may not have begun.
bool script::close_races_with_a_read() {
    if (made.is_racy || !close_under_a_read())
        return false;
    for (block& actor : made.actors)
        for (statement& s : actor)
            if (s.what == verb::close && s.slot == made.slots - 1)
                s.when_begun = false;
    made.is_racy = true;
    return true;
}

/// Which child is first, and whether the others still fail, is open.
bool script::group_whose_children_fail() {
    if (made.is_racy)
        return false;
    made.is_racy = true;
    statement group = within(verb::group, 0, {});
    const int count = draw.between(2, 3);
    for (int i = 0; i < count; ++i)
        group.blocks.push_back({draw.one_in(3) ? about(verb::fail, 0, i + 1) : about(verb::refused, 0)});
    add(draw.below(static_cast<int>(made.actors.size())), std::move(group));
    return true;
}

/// Nobody reads. How much goes before it is cut is the system's affair; that as much comes is not.
bool script::cut_a_send_by_a_group() {
    int e = 0;
    if (!find_end(e, &script::can_send) || !can_receive(peer_of(e)) || made.is_large || made.is_racy)
        return false;
    made.is_large = made.is_racy = true;
    const int count = 1 << 18;
    statement group = within(verb::group, 0, {sending(e, count)});   // the body: it begins before the child fails
    group.blocks.push_back({about(verb::refused, 0)});
    add(owner(e), std::move(group));
    at(e).sent += count;
    order(owner(e), owner(peer_of(e)));
    receive_all(peer_of(e));
    return true;
}

bool script::cancel_a_send() {
    int e = 0;
    if (!find_end(e, &script::can_send) || !can_receive(peer_of(e)) || made.is_large || made.is_racy)
        return false;
    made.is_large = made.is_racy = true;
    const int slot = new_slot();
    const int count = draw.one_of({1 << 17, 1 << 18, 1 << 19});
    const int me = owner(e);
    add(me, spawned(slot, {sending(e, count)}).front());
    statement cancels = of_task(verb::cancel, slot, draw.below(10));
    cancels.when_begun = true;
    add(somebody_but(me), std::move(cancels));
    add(me, of_task(verb::join, slot));
    at(e).sent += count;
    order(me, owner(peer_of(e)));
    receive_all(peer_of(e));
    return true;
}

}
