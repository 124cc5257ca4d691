// child_code.hpp - what a child process of a test does, whatever system has made it.
#pragma once

#include <support/os.hpp>

#include <cstdio>
#include <exception>
#include <functional>
#include <string>

namespace testing::os {

/// Runs `f` and gives its answer; an exception out of it is printed, and the code is 99.
inline int child_code(const std::function<int()>& f) noexcept {
    int code = 99;
    try {
        code = f();
    } catch (const std::exception& e) {
        say(std::string("exception: ") + e.what() + "\n");
    } catch (...) {
        say("exception of another type\n");
    }
    std::fflush(nullptr);
    return code;
}

}
