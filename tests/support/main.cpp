// main.cpp - the framework's main, compiled once for all test programs, and the listener through which cases are watched.
#if __has_include(<catch2/catch_session.hpp>)
#include <catch2/catch_session.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/reporters/catch_reporter_event_listener.hpp>
#include <catch2/reporters/catch_reporter_registrars.hpp>

using listener_base = Catch::EventListenerBase;

int main(int argc, char* argv[]) { return Catch::Session().run(argc, argv); }
#else
#define CATCH_CONFIG_MAIN
// A header is indented by what stands before its first colon: Catch2 2.13 asserts that the line is wider, also where it reports a failure.
#define CATCH_CONFIG_CONSOLE_WIDTH 240
#include <catch2/catch.hpp>

using listener_base = Catch::TestEventListenerBase;
#endif

#include <support/case_watch.hpp>

#include <string>

namespace {

// A case's outermost section is the case itself: at its end, other than at testCaseEnded(), a check still counts.
class case_listener : public listener_base {
public:
    using listener_base::listener_base;

    void sectionStarting(const Catch::SectionInfo& section) override {
        listener_base::sectionStarting(section);
        if (depth_++ == 0)
            testing::case_begins(section.name);
    }
    void sectionEnded(const Catch::SectionStats& section) override {
        if (--depth_ == 0) {
            if (const std::string left = testing::case_ends(); !left.empty())
                FAIL_CHECK("the case does not leave things as they were:\n" << left);
        }
        listener_base::sectionEnded(section);
    }

private:
    int depth_ = 0;
};

CATCH_REGISTER_LISTENER(case_listener)

}
