// promise.cpp - a coroutine that owes its value.
#include <corun/detail/promise.hpp>
#include <corun/errors.hpp>

#include "inspect/describe_place.hpp"

#include <new>

namespace corun::detail {

void note_no_value(promise_base& p) noexcept {
    const std::exception_ptr error = error_or_reason([&] {
        return usage_error(errc::no_value,
                           "a corun::task ended without the value it owes: each way to its end needs a co_return; last at " +
                               describe_place(p.where));
    });
    ::new (static_cast<void*>(&p.error)) std::exception_ptr(error);
    p.end = ending::error;
}

}
