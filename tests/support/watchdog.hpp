// watchdog.hpp - ends a case that hangs, and says where its tasks stand.
#pragma once

#include <string>

namespace testing {

/// Starts the watchdog's thread, once for the process.
void start_watchdog();

/// From now on the case has 5 s, five times that under sanitizers, and more as CORUN_STRESS says, or CORUN_CASE_SECONDS; then its tasks are
/// printed and the process aborts. On a machine that has more to do than its processors can, a second counts for the part of a processor
/// that a thread gets then, a twentieth at least. Called on the main thread.
void watch_case(const std::string& name);

/// The case is over.
void unwatch_case();

/// Ends the watchdog's thread, and starts it again: a process with one thread forks more safely.
void pause_watchdog();
void resume_watchdog();

}
