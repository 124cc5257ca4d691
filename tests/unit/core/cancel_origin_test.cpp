// cancel_origin_test.cpp - what those who ask a task to end are called.
#include <corun/cancel_reason.hpp>
#include <support/catch.hpp>

#include <string_view>
#include <utility>
#include <vector>

using namespace corun;

TEST_CASE("each origin of a request has its name, and nobody has none") {
    const std::vector<std::pair<cancel_origin, std::string_view>> names = {{cancel_origin::none, ""},
                                                                           {cancel_origin::explicit_call, "explicit"},
                                                                           {cancel_origin::timeout, "timeout"},
                                                                           {cancel_origin::failed_group, "failed group"},
                                                                           {cancel_origin::lost_race, "lost race"},
                                                                           {cancel_origin::shut_down, "shut down"},
                                                                           {cancel_origin::interrupt, "interrupt"},
                                                                           {cancel_origin::host, "host"}};
    for (const auto& [origin, name] : names) {
        CHECK(to_string(origin) == name);
        CHECK(to_string(cancel_reason(origin)) == name);
    }
}
