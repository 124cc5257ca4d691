// memory.hpp - how much memory a program holds, as its allocator and as the kernel see it.
#pragma once

#include <cstdint>
#include <cstdio>

#include <malloc.h>
#include <unistd.h>

namespace bench {

struct memory {
    std::int64_t allocated = 0;   // with malloc's own bytes
    std::int64_t resident = 0;    // what malloc does not know of shows here

    static memory now() {
        memory m;
        const auto info = mallinfo2();
        m.allocated = std::int64_t(info.uordblks + info.hblkhd);
        if (std::FILE* const file = std::fopen("/proc/self/statm", "r")) {
            long pages = 0;
            if (std::fscanf(file, "%*d %ld", &pages) == 1)
                m.resident = std::int64_t(pages) * sysconf(_SC_PAGESIZE);
            std::fclose(file);
        }
        return m;
    }
};

/// Prints what each of n tasks holds.
inline void print_growth(const memory& before, const memory& after, std::int64_t n) {
    std::printf("{\"tasks\": %lld, \"allocated\": %.1f, \"resident\": %.1f}\n", static_cast<long long>(n),
                double(after.allocated - before.allocated) / double(n), double(after.resident - before.resident) / double(n));
}

}
