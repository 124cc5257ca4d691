// say_end.hpp - how a run in a child process ends, for its parent to read.
//
// In the header, so that it is compiled the way the case that uses it is (see the conformance suite's "other way").
#pragma once

#include <corun/errors.hpp>
#include <support/os.hpp>

#include <exception>
#include <string>

namespace testing {

/// What leaves `f()`, said.
template <class F>
void say_how_it_leaves(F f) {
    try {
        f();
        os::say("returned");
    } catch (const corun::interrupted& e) {
        os::say("interrupted by " + std::to_string(e.signal()));
    } catch (const corun::cancelled&) {
        os::say("cancelled");
    } catch (const std::exception& e) {
        os::say(e.what());
    }
}

}
