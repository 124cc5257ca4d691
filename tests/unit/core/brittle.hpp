// brittle.hpp - an argument or a capture whose move fails at the place that a test wants.
#pragma once

namespace testing {

/// What a brittle's move throws.
struct move_failed {};

/// Its `at`th move throws; moved fewer times it is like any other value. Moves only.
class brittle {
public:
    explicit brittle(int at) noexcept : left_(at) {}
    brittle(brittle&& other) : left_(other.left_ - 1) {
        if (left_ == 0)
            throw move_failed{};
    }

private:
    int left_;
};

}
