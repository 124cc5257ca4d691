// course.hpp - what decides how a simulation goes, and what tells two courses apart: the options, the choices, the hash.
#pragma once

#include "choices.hpp"

#include <corun/operation.hpp>
#include <corun/sim.hpp>

#include <cstdint>

namespace corun::sim {

struct course {
    course() = default;
    course(const course&) = delete;
    course& operator=(const course&) = delete;

    /// Takes something that happened into the hash.
    void note(std::uint64_t what) noexcept {
        for (int i = 0; i < 8; ++i, what >>= 8)
            hash = (hash ^ (what & 0xff)) * 0x100000001b3;
    }

    /// The same, of an operation that was answered.
    void note(const operation&) noexcept;

    settings options;
    choices chance;
    std::uint64_t hash = 0xcbf29ce484222325;
};

}
