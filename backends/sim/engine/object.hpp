// object.hpp - what a handle names, in whatever facility.
#pragma once

#include "answers.hpp"

#include <corun/backend.hpp>

#include <system_error>

namespace corun::sim {

/// Owned by the table of handles, until its handle ends or names another one.
class object {
public:
    object() = default;
    object(const object&) = delete;
    object& operator=(const object&) = delete;
    virtual ~object() = default;

    // One for each kind. True: answered. False: the operation waits, and is tried again by handles::retry().
    virtual bool read(operation& o) { return answer(o, std::errc::operation_not_supported); }
    virtual bool write(operation& o) { return answer(o, std::errc::operation_not_supported); }
    virtual bool accept(operation& o) { return answer(o, std::errc::operation_not_supported); }
    virtual bool connect(operation& o) { return answer(o, std::errc::operation_not_supported); }
    virtual bool poll(operation& o) { return answer(o, std::errc::operation_not_supported); }
    virtual bool shut_down(operation& o) { return answer(o, std::errc::operation_not_supported); }

    virtual std::error_code control(control_request&) { return error(std::errc::operation_not_supported); }

    /// Whether something is under way that may be here before a cancel is; of kinds whose row says so.
    virtual bool expects() const noexcept { return false; }

    /// Lets the first of that come now.
    virtual void hasten() {}

    /// An operation that waited is cancelled.
    virtual void forget(const operation&) noexcept {}

    /// The handle has ended, nothing waits here any more. The last call.
    virtual void close() {}

    handle name;
};

}
