// asio_scenes.hpp - a guest that an io_context hosts.
#pragma once

#include <corun/asio_host.hpp>
#include <corun/corun.hpp>

#include <optional>
#include <type_traits>
#include <utility>

#include <asio/io_context.hpp>

namespace testing {

/// A guest and a context on this thread.
struct hosted {
    template <class F>
    auto run(F main) {
        using value = typename std::invoke_result_t<F&>::value_type;
        std::optional<corun::outcome<value>> end;
        g.start(std::move(main), [&end](corun::outcome<value> o) { end.emplace(std::move(o)); });
        context.run();
        return std::move(end).value();
    }

    asio::io_context context{1};
    corun::guest g;
    corun::asio_host host{context, g};
};

}
