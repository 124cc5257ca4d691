// io_request.hpp - asking for an operation that is one card: an awaiter for each kind, and its request.
//
// A Kind says which kind, writes its part of the card, and makes the value of the answer:
//     using value_type = ...;                            what `co_await` gives
//     operation_kind kind;                               a member, or static
//     void fill(operation&) const noexcept;
//     static value_type take(const operation&) noexcept;
//     static bool is_answered(operation&) noexcept;      only if it may be answered without the backend
#pragma once

#include <corun/detail/io_object.hpp>

namespace corun::detail {

/// A card that its Kind has filled in.
template <class Kind>
class kind_awaiter final : public io_awaiter<kind_awaiter<Kind>, typename Kind::value_type> {
public:
    kind_awaiter(const io_target& t, const Kind& k) : io_awaiter<kind_awaiter, typename Kind::value_type>(k.kind, t.checked()) {
        k.fill(*this);
    }

    submitted start(loop_core& core) noexcept {
        if constexpr (requires { Kind::is_answered(*this); }) {
            if (Kind::is_answered(*this))
                return submitted::finished;
        }
        return core.backend->submit(*this);
    }

    typename Kind::value_type value() const noexcept { return Kind::take(*this); }
};

/// Of a kind without a handle the target is empty.
template <class Kind>
using io_request = request<kind_awaiter<Kind>, io_target, Kind>;

}
