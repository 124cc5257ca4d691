// case_watch.hpp - what must be as it was when a case is over: descriptors, threads, coroutine frames; and that it ends.
#pragma once

#include <string>

namespace testing {

/// A case begins: its watchdog starts, and everything is counted.
void case_begins(const std::string& name);

/// The name of the case that runs, or ran last.
const std::string& current_case();

/// A case is over. What differs from its beginning, in words; empty if nothing does.
std::string case_ends();

}
