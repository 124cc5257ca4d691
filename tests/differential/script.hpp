// script.hpp - a program while it is written: what has been said so far, and what that makes of each end.
//
// Statements are written in an order in which they could run one after the other, each needing those before it only. An end belongs to
// one actor, its statements are about amounts and not about single reads: so nearly all orders come to the same outcome. The others are
// written on purpose, and the program is called racy.
#pragma once

#include "program.hpp"
#include "random.hpp"

#include <utility>
#include <vector>

namespace differential {

class script {
public:
    /// Fewer bytes than any simulated buffer has room for: they can wait until somebody reads them.
    static constexpr int most_unread = 8192;

    explicit script(std::uint64_t seed);

    /// Writes something about an end of the drawer's choice; false if nothing of that kind fits here.
    using move = bool (script::*)();

    bool send_some();
    bool receive_some();
    bool receive_exactly();
    bool send_much();
    bool send_much_both_ways();
    bool send_into_reset();
    bool half_close();
    bool receive_the_end();
    bool misuse_after_half_close();
    bool close();
    bool use_after_close();
    bool send_to_nobody();
    bool connect_to_nobody();
    bool wait_in_vain();
    bool wait_in_vain_shielded();
    bool cancel_a_read();
    bool cancel_races_with_data();
    bool timeout_races_with_data();
    bool read_twice_at_once();
    bool close_under_a_read();
    bool close_races_with_a_read();
    bool reset();
    bool group_that_fails();
    bool group_that_succeeds();
    bool group_whose_children_fail();
    bool cut_a_send_by_a_group();
    bool cancel_a_send();
    bool clean_up_after_a_cancel();

    /// Ends what is open, so that all that was sent is counted; not always.
    void finish();

    random draw;
    program made;

private:
    struct end_state {
        int owner = 0;
        int sent = 0;
        int received = 0;
        bool is_open = true;
        bool sends = true;        // has not been half-closed
        bool has_ended = false;   // the peer's end has been read
        bool is_lost = false;     // reset
    };

    static int peer_of(int e) { return e ^ 1; }
    end_state& at(int e) { return ends_[static_cast<std::size_t>(e)]; }
    int owner(int e) { return at(e).owner; }
    int unread(int e) { return at(peer_of(e)).sent - at(e).received; }

    bool can_send(int e);
    bool can_receive(int e);
    bool can_close(int e);
    bool waits_in_vain(int e);   // nothing has been sent there, and nothing comes by itself
    bool is_idle(int e);         // the same of both directions, and both go on
    bool find_end(int& e, bool (script::*fits)(int));

    void add(int actor, statement s) { made.actors[static_cast<std::size_t>(actor)].push_back(std::move(s)); }
    void order(int before, int after);   // what `after` does from here on comes after what `before` has done so far
    int somebody_but(int actor);
    int new_slot() { return made.slots++; }

    static statement about(verb what, int e, int number = 0);
    static statement within(verb what, int number, block body);
    static statement of_task(verb what, int slot, int number = 0);
    statement sending(int e, int count);
    statement sending_uncounted(int e, int count);
    statement receiving(int e, int count);   // counts in all
    statement one_more(int e) { return receiving(e, at(e).received + 1); }
    block spawned(int slot, block body);
    void receive_all(int e);

    std::vector<end_state> ends_;
};

}
