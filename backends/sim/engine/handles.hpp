// handles.hpp - which handle names what, and the operations that wait there.
#pragma once

#include "../../common/handle_table.hpp"
#include "object.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace corun::sim {

struct course;

/// An operation that can't go on waits at its handle, and is tried again when its object's facility says so.
class handles {
public:
    explicit handles(course& c) noexcept : course_(c) {}
    handles(const handles&) = delete;
    handles& operator=(const handles&) = delete;

    /// Forgets everything: another run begins.
    void begin();

    /// Throws std::bad_alloc.
    handle add(std::unique_ptr<object>);

    /// The handle names another object from now on; the one before is destroyed. What waits goes on waiting.
    void replace(handle, std::unique_ptr<object>) noexcept;

    /// What the handle names; null if that is closed.
    object* find(handle) noexcept;

    std::size_t open_count() const noexcept { return open_; }

    /// Of a kind with a handle.
    submitted submit(operation&);

    /// True: it is finished. False: none here has it.
    bool cancel(operation&);

    std::error_code close(handle);

    /// What waits at a handle is tried again.
    void retry(handle);

    /// What finished outside submit().
    std::vector<operation*> finished;

private:
    struct record {
        bool is_open() const noexcept { return is != nullptr; }

        std::unique_ptr<object> is;
        operation* reader = nullptr;
        operation* writer = nullptr;
        std::uint32_t index = 0;
        std::uint32_t generation = 0;
        record* next = nullptr;
    };

    bool attempt(record&, operation&);   // true: answered
    void leave(record&, operation&);

    course& course_;
    common::handle_table<record> table_;
    std::size_t open_ = 0;
};

}
