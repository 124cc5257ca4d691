// watchdog.hpp - ends a case that hangs, and says where its tasks stand.
#pragma once

#include <string>

namespace testing {

/// Starts the watchdog's thread, once for the process.
void start_watchdog();

/// From now on the case has 5 s, five times that under sanitizers, and more as CORUN_STRESS says, or CORUN_CASE_SECONDS;
/// then its tasks are printed and the process aborts. Called on the main thread.
void watch_case(const std::string& name);

/// The case is over.
void unwatch_case();

/// Ends the watchdog's thread, and starts it again: a process with one thread forks more safely.
void pause_watchdog();
void resume_watchdog();

}
