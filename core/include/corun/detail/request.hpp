// request.hpp - what is asked for and not begun yet: the form of everything that is awaited once.
#pragma once

#include <tuple>
#include <utility>

namespace corun::detail {

/// What an Awaiter is made of, until it is awaited, as an rvalue. Moves only. Lives to the end of the full expression that awaits it, so
/// the awaiter may refer to what was given by reference or is kept here.
template <class Awaiter, class... Stored>
class [[nodiscard("nothing happens until it is awaited")]] request {
public:
    explicit(sizeof...(Stored) == 1) request(Stored... s) : stored(std::forward<Stored>(s)...) {}
    request(request&&) = default;

    Awaiter operator co_await() && {
        return std::apply([](Stored&... s) { return Awaiter(std::forward<Stored>(s)...); }, stored);
    }

    std::tuple<Stored...> stored;
};

}
