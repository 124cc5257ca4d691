// allocations.hpp - counts what operator new gives, and makes it fail.
#pragma once

#include <cstddef>

namespace testing {

/// False in a build whose operator new can't be replaced: then nothing is counted and nothing fails.
extern const bool allocations_are_counted;

/// Bytes that operator new gave and that were not given back, in the whole process; 0 where sizes can't be asked.
std::size_t allocated_bytes() noexcept;

/// While it lives, the `nth` allocation from its making on, counted from 1, throws std::bad_alloc on this thread.
class failing_allocation {
public:
    explicit failing_allocation(std::size_t nth) noexcept;
    failing_allocation(const failing_allocation&) = delete;
    ~failing_allocation();

    /// True if it has come to that.
    bool has_failed() const noexcept;
};

}
