// course.cpp - see course.hpp.
#include "course.hpp"

namespace corun::sim {

void course::note(const operation& o) noexcept {
    note(static_cast<std::uint64_t>(o.kind) << 32 | o.target.index);
    std::uint64_t answered = 0;
    switch (row_of(o.kind).answer) {
    case kind_answer::count: answered = o.count; break;
    case kind_answer::handle: answered = o.accepted.index; break;
    case kind_answer::ready: answered = o.found; break;
    case kind_answer::none: break;
    }
    note(static_cast<std::uint64_t>(o.error) << 32 ^ answered);
}

}
