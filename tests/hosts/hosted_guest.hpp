// hosted_guest.hpp - a guest in the host that the environment names.
#pragma once

#include <hosts/hosts.hpp>

#include <corun/corun.hpp>

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace testing {

class hosted_guest {
public:
    explicit hosted_guest(corun::run_options options = {}, corun::dispatch_budget budget = {})
        : g(std::move(options)), host(make_test_host()) {
        host->attach(g, budget);
    }
    ~hosted_guest() {
        if (host)
            host->detach();
    }

    /// Starts main and turns the host until the run is over; its end.
    template <class F>
    auto run(F main) {
        using value = typename std::invoke_result_t<F&>::value_type;
        std::optional<corun::outcome<value>> end;
        g.start(std::move(main), [&end](corun::outcome<value> o) { end.emplace(std::move(o)); });
        host->run_until([this] { return g.is_finished(); });
        return std::move(end).value();
    }

    corun::guest g;
    std::unique_ptr<test_host> host;
};

}
