// moves.cpp - what can happen at an end, each with what makes its outcome certain.
#include "script.hpp"

#include <algorithm>

namespace differential {

bool script::send_some() {
    int e = 0;
    if (!find_end(e, &script::can_send))
        return false;
    const int room = most_unread - unread(peer_of(e));
    if (room <= 0)
        return false;
    const int most = draw.one_of({1, 20, 500, most_unread});
    const int count = std::min(room, draw.between(1, most));
    add(owner(e), sending(e, count));
    at(e).sent += count;
    return true;
}

bool script::receive_some() {
    int e = 0;
    if (!find_end(e, &script::can_receive) || unread(e) == 0)
        return false;
    const int count = draw.between(1, unread(e));
    add(owner(e), receiving(e, at(e).received + count));
    at(e).received += count;
    return true;
}

bool script::receive_exactly() {
    int e = 0;
    if (!find_end(e, &script::can_receive) || unread(e) == 0)
        return false;
    const int there = unread(e);
    int count = draw.between(1, there);
    const end_state& peer = at(peer_of(e));
    if ((!peer.sends || !peer.is_open) && draw.one_in(2)) {   // the end comes first
        count = there + draw.between(1, 100);
        at(e).has_ended = true;
    }
    add(owner(e), about(verb::exactly, e, count));
    at(e).received += std::min(count, there);
    return true;
}

/// More than there is room for on the way: the reader has to be there.
bool script::send_much() {
    int e = 0;
    if (!find_end(e, &script::can_send) || !can_receive(peer_of(e)) || made.is_large)
        return false;
    made.is_large = true;
    const int count = draw.one_in(8) ? 1 << 20 : draw.between(1 << 16, 1 << 18);
    statement sends = sending(e, count);
    if (draw.one_in(2))
        sends.what = verb::send_shrunk;
    add(owner(e), std::move(sends));
    at(e).sent += count;
    receive_all(peer_of(e));
    return true;
}

bool script::send_much_both_ways() {
    int e = 0;
    if (!find_end(e, &script::is_idle) || made.is_large)
        return false;
    made.is_large = true;
    const int there = draw.between(1 << 16, 1 << 18);
    const int back = draw.between(1 << 15, 1 << 17);
    const int peer = peer_of(e);
    at(e).sent += there;
    at(peer).sent += back;
    for (const int one : {e, peer}) {
        statement both = within(verb::group, 0, {});
        both.blocks.push_back({sending(one, one == e ? there : back)});
        both.blocks.push_back({receiving(one, at(peer_of(one)).sent)});
        add(owner(one), std::move(both));
    }
    at(e).received = at(peer).sent;
    at(peer).received = at(e).sent;
    return true;
}

bool script::half_close() {
    int e = 0;
    if (!find_end(e, &script::can_send))
        return false;
    add(owner(e), about(verb::half_close, e));
    at(e).sends = false;
    return true;
}

bool script::receive_the_end() {
    int e = 0;
    if (!find_end(e, &script::can_receive))
        return false;
    const end_state& peer = at(peer_of(e));
    if (peer.sends && peer.is_open)
        return false;
    add(owner(e), about(verb::receive_end, e));
    if (draw.one_in(3))
        add(owner(e), about(verb::receive_end, e));   // it says so again
    at(e).received = peer.sent;
    at(e).has_ended = true;
    return true;
}

bool script::misuse_after_half_close() {
    for (int e = 0; e < static_cast<int>(ends_.size()); ++e)
        if (!at(e).sends && at(e).is_open && at(peer_of(e)).is_open && !at(e).is_lost && !at(peer_of(e)).is_lost) {
            add(owner(e), sending_uncounted(e, 10));
            return true;
        }
    return false;
}

/// With nothing unread, so that the peer finds the end.
bool script::close() {
    int e = 0;
    if (!find_end(e, &script::can_close))
        return false;
    add(owner(e), about(verb::close, e));
    at(e).is_open = false;
    return true;
}

bool script::use_after_close() {
    for (int e = 0; e < static_cast<int>(ends_.size()); ++e)
        if (!at(e).is_open) {
            static constexpr verb uses[] = {verb::send_uncounted, verb::receive_end, verb::half_close, verb::close};
            add(owner(e), about(uses[draw.below(4)], e, 10));
            return true;
        }
    return false;
}

/// The peer has closed, its end has been read: one of the next writes says that nobody is there.
bool script::send_to_nobody() {
    for (int e = 0; e < static_cast<int>(ends_.size()); ++e)
        if (at(e).is_open && at(e).sends && at(e).has_ended && !at(peer_of(e)).is_open) {
            add(owner(e), about(verb::send_until_lost, e));
            at(e).is_lost = true;
            return true;
        }
    return false;
}

bool script::connect_to_nobody() {
    add(draw.below(static_cast<int>(made.actors.size())), about(verb::refused, 0));
    return true;
}

bool script::wait_in_vain() {
    int e = 0;
    if (!find_end(e, &script::waits_in_vain))
        return false;
    block body{one_more(e)};
    if (draw.one_in(4))   // inside another that is long enough
        body = {within(verb::timeout, 60'000, std::move(body))};
    add(owner(e), within(verb::timeout, draw.between(0, 3), std::move(body)));
    order(owner(e), owner(peer_of(e)));
    return true;
}

/// The time is up, the read goes on, and then gets what is sent.
bool script::wait_in_vain_shielded() {
    int e = 0;
    if (!find_end(e, &script::waits_in_vain))
        return false;
    const int slot = new_slot();
    const int me = owner(e);
    const int count = draw.between(1, 1000);
    add(me, spawned(slot, {receiving(e, at(e).received + count)}).front());
    add(me, of_task(verb::join_shielded, slot, draw.between(0, 3)));
    order(me, owner(peer_of(e)));
    add(owner(peer_of(e)), sending(peer_of(e), count));
    add(me, of_task(verb::join, slot));
    at(peer_of(e)).sent += count;
    at(e).received += count;
    return true;
}

/// Nothing comes: the read is cancelled, no byte is lost.
bool script::cancel_a_read() {
    int e = 0;
    if (!find_end(e, &script::waits_in_vain))
        return false;
    const int slot = new_slot();
    const int me = owner(e);
    add(me, spawned(slot, {one_more(e)}).front());
    statement cancels = of_task(verb::cancel, slot, draw.below(3));
    cancels.when_begun = draw.one_in(2);
    add(somebody_but(me), std::move(cancels));
    add(me, of_task(verb::join, slot));
    order(me, owner(peer_of(e)));
    return true;
}

bool script::read_twice_at_once() {
    int e = 0;
    if (!find_end(e, &script::waits_in_vain))
        return false;
    const int slot = new_slot();
    const int me = owner(e);
    add(me, spawned(slot, {one_more(e)}).front());
    statement second = one_more(e);
    second.slot = slot;
    second.when_begun = true;
    add(me, std::move(second));
    const int canceller = somebody_but(me);
    order(me, canceller);
    add(canceller, of_task(verb::cancel, slot));
    add(me, of_task(verb::join, slot));
    order(me, owner(peer_of(e)));
    return true;
}

bool script::close_under_a_read() {
    int e = 0;
    if (!find_end(e, &script::is_idle))
        return false;
    const int slot = new_slot();
    const int me = owner(e);
    add(me, spawned(slot, {one_more(e)}).front());
    statement closes = about(verb::close, e);
    closes.slot = slot;
    closes.when_begun = true;
    add(somebody_but(me), std::move(closes));
    add(me, of_task(verb::join, slot));
    order(me, owner(peer_of(e)));   // whose own close would be an answer to the read
    at(e).is_open = false;
    return true;
}

/// The peer has read everything before: what the system does with the rest is its own affair.
bool script::reset() {
    int e = 0;
    if (!find_end(e, &script::can_send) || !can_receive(peer_of(e)))
        return false;
    const int peer = peer_of(e);
    receive_all(peer);
    order(owner(peer), owner(e));
    add(owner(e), about(verb::reset, e));
    add(owner(peer), draw.one_in(2) ? about(verb::receive_end, peer) : one_more(peer));
    if (draw.one_in(2))
        add(owner(peer), about(verb::receive_end, peer));
    if (draw.one_in(2))
        add(owner(peer), sending_uncounted(peer, 10));
    at(e).is_open = false;
    at(peer).is_lost = true;
    return true;
}

bool script::group_that_fails() {
    int e = 0;
    if (!find_end(e, &script::waits_in_vain))
        return false;
    statement group = within(verb::group, 0, {});
    group.blocks.push_back({one_more(e)});
    block fails{about(verb::fail, 0, draw.between(1, 3))};
    if (draw.one_in(2))
        fails = {about(verb::refused, 0)};
    if (draw.one_in(3))
        group.blocks[0] = std::move(fails);   // the body does
    else
        group.blocks.push_back(std::move(fails));
    add(owner(e), std::move(group));
    order(owner(e), owner(peer_of(e)));
    return true;
}

bool script::group_that_succeeds() {
    int e = 0;
    if (!find_end(e, &script::can_receive) || unread(e) == 0)
        return false;
    const int count = draw.between(1, unread(e));
    statement group = within(verb::group, 0, {});
    group.blocks.push_back({receiving(e, at(e).received + count)});
    at(e).received += count;
    if (can_send(e) && unread(peer_of(e)) < most_unread) {
        const int answer = draw.between(1, most_unread - unread(peer_of(e)));
        group.blocks.push_back({sending(e, answer)});
        at(e).sent += answer;
    }
    add(owner(e), std::move(group));
    return true;
}

bool script::clean_up_after_a_cancel() {
    int e = 0;
    if (!find_end(e, &script::is_idle))
        return false;
    const int slot = new_slot();
    const int me = owner(e);
    const int count = draw.between(1, 1000);
    statement cleans = within(verb::finally, 0, {one_more(e)});
    cleans.blocks.push_back({sending(e, count), about(verb::half_close, e)});
    add(me, spawned(slot, {std::move(cleans)}).front());
    statement cancels = of_task(verb::cancel, slot);
    cancels.when_begun = true;   // what never ran has nothing to clean up
    add(somebody_but(me), std::move(cancels));
    add(me, of_task(verb::join, slot));
    order(me, owner(peer_of(e)));
    at(e).sent += count;
    at(e).sends = false;
    return true;
}

void script::finish() {
    for (int e = 0; e < static_cast<int>(ends_.size()); ++e) {
        if (!can_receive(e) || draw.one_in(4))
            continue;
        const int peer = peer_of(e);
        if (can_send(peer)) {
            add(owner(peer), about(verb::half_close, peer));
            at(peer).sends = false;
        }
        if (at(peer).is_open && at(peer).sends)
            continue;
        add(owner(e), about(verb::receive_end, e));
        at(e).has_ended = true;
        at(e).received = at(peer).sent;
    }
    // An actor that would never end is cancelled by another.
    int e = 0;
    if (!draw.one_in(3) || !find_end(e, &script::waits_in_vain))
        return;
    const int other = somebody_but(owner(e));
    order(owner(e), other);
    add(owner(e), one_more(e));
    add(other, about(verb::cancel_actor, 0, owner(e)));
}

}
