// refusal.hpp - operations that no record takes: those that are refused, and those that are asked of no handle.
#pragma once

#include "directions.hpp"

#include <corun/backend.hpp>

#include <cstdint>

namespace corun::common {

/// The operation has its answer at once.
inline submitted answer(operation& o, std::int32_t error) noexcept {
    o.finish(error);
    return submitted::finished;
}

/// The system's codes for what is refused.
struct refusal_codes {
    std::int32_t no_such_handle;
    std::int32_t not_supported;
};

/// What keeps an operation from being tried on its handle's record, null if there is none: a code, or 0. A Record tells whether other
/// operations have its directions: are_taken().
template <class Record>
std::int32_t refusal_of(const operation& o, const Record* record, const refusal_codes& codes) noexcept {
    if (!record)
        return codes.no_such_handle;
    const std::uint8_t directions = directions_of(o);
    if (directions == 0)
        return codes.not_supported;
    return record->are_taken(directions) ? operation::busy : 0;
}

/// submit() of a kind without a handle: `blocking`, or the answer. What is no kind is one of these. Ways is what a system has for the kind,
/// a Socket that is none goes to its `attempt`.
template <class Ways, class Socket>
submitted submit_without_target(const Ways& ways, Socket none, operation& o, const refusal_codes& codes) noexcept {
    if (ways.perform)
        return submitted::blocking;
    if (!ways.attempt)
        return answer(o, codes.not_supported);
    (void)ways.attempt(none, o);
    return submitted::finished;
}

/// backend::perform() of such a kind. One with a handle would need its descriptor kept open until take_back().
template <class Ways>
void perform(const Ways& ways, operation& o, const refusal_codes& codes) noexcept {
    if (ways.perform)
        ways.perform(o);
    else
        o.answer_with(codes.not_supported);
}

}
