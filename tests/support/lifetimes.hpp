// lifetimes.hpp - objects that count how often they are made, moved and destroyed.
#pragma once

#include <thread>

namespace testing {

struct lifetimes {
    int made = 0;   ///< by whatever constructor
    int moved = 0;
    int copied = 0;
    int destroyed = 0;
    std::thread::id destroyed_on;

    int alive() const noexcept { return made - destroyed; }
};

/// One object of those that `lifetimes` counts.
class counted {
public:
    explicit counted(lifetimes& l) noexcept : lifetimes_(&l) { ++l.made; }
    counted(counted&& other) noexcept : lifetimes_(other.lifetimes_) {
        ++lifetimes_->made;
        ++lifetimes_->moved;
    }
    counted(const counted& other) noexcept : lifetimes_(other.lifetimes_) {
        ++lifetimes_->made;
        ++lifetimes_->copied;
    }
    counted& operator=(const counted&) = delete;
    ~counted() {
        ++lifetimes_->destroyed;
        lifetimes_->destroyed_on = std::this_thread::get_id();
    }

private:
    lifetimes* lifetimes_;
};

}
