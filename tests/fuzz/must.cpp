// must.cpp - see input.hpp.
#include "input.hpp"

#include <cstdio>
#include <cstdlib>

namespace fuzz {

void must(bool holds, const char* what) noexcept {
    if (holds)
        return;
    std::fprintf(stderr, "fuzz: this does not hold: %s\n", what);
    std::abort();
}

}
