// decide.hpp - what befalls a call: for the functions that stand in the C library's and liburing's place.
#pragma once

#include "faults.hpp"

#include <cerrno>

#include <dlfcn.h>

namespace faults {

/// The system's own function of a name.
template <class Function>
Function* real(const char* name) noexcept {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

/// The plan in force.
const plan& current() noexcept;

/// A number from the seed.
unsigned draw(unsigned below) noexcept;
bool one_of_hundred(int percent) noexcept;

/// Counts a fault, and leaves `error` in errno. True.
bool inject(int error) noexcept;

/// True, and errno, if a signal interrupts this call.
bool is_interrupted() noexcept;

/// True, and errno, if this is the call of its kind that fails.
bool fails(calls kind) noexcept;

/// True, and errno, if the connection that is to be accepted has gone.
bool is_lost() noexcept;

}
