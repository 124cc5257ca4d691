// handles.cpp - see handles.hpp.
#include "handles.hpp"
#include "../../common/directions.hpp"
#include "course.hpp"
#include "kinds.hpp"

#include <new>
#include <utility>

namespace corun::sim {
namespace {

bool reads(const operation& o) noexcept { return (common::directions_of(o) & ready::readable) != 0; }

bool writes(const operation& o) noexcept { return (common::directions_of(o) & ready::writable) != 0; }

}

void handles::begin() {
    table_ = {};
    open_ = 0;
    finished.clear();
}

handle handles::add(std::unique_ptr<object> made) {
    record* const r = table_.take();
    if (!r)
        throw std::bad_alloc();
    r->is = std::move(made);
    ++open_;
    return r->is->name = {r->index, r->generation};
}

void handles::replace(handle h, std::unique_ptr<object> by) noexcept {
    by->name = h;
    table_.find(h)->is = std::move(by);
}

object* handles::find(handle h) noexcept {
    record* const r = table_.find(h);
    return r ? r->is.get() : nullptr;
}

submitted handles::submit(operation& o) {
    record* const r = table_.find(o.target);
    if (!r) {
        answer(o, std::errc::bad_file_descriptor);
        return submitted::finished;
    }
    if (row_of(o.kind).ends_target) {
        o.finish(close(o.target).value());
        return submitted::finished;
    }
    if (common::directions_of(o) == 0) {   // a wait for nothing would never end
        answer(o, std::errc::operation_not_supported);
        return submitted::finished;
    }
    if ((reads(o) && r->reader) || (writes(o) && r->writer)) {
        o.finish(operation::busy);
        return submitted::finished;
    }
    if (course_.chance.one_in(course_.options.memory_failure)) {
        answer(o, std::errc::no_buffer_space);
        return submitted::finished;
    }
    if (attempt(*r, o)) {
        course_.note(o);
        return submitted::finished;
    }
    o.state = operation_state::pending;
    if (reads(o))
        r->reader = &o;
    if (writes(o))
        r->writer = &o;
    return submitted::pending;
}

bool handles::attempt(record& r, operation& o) {
    const auto attempt = ways_of(o).attempt;
    return attempt ? (r.is.get()->*attempt)(o) : answer(o, std::errc::operation_not_supported);
}

void handles::retry(handle h) {
    record* const r = table_.find(h);
    if (!r)
        return;
    for (const bool reading : {true, false}) {
        operation* const o = reading ? r->reader : r->writer;
        if (o && o->state == operation_state::pending && attempt(*r, *o))
            leave(*r, *o);
    }
}

void handles::leave(record& r, operation& o) {
    if (r.reader == &o)
        r.reader = nullptr;
    if (r.writer == &o)
        r.writer = nullptr;
    course_.note(o);
    finished.push_back(&o);
}

bool handles::cancel(operation& o) {
    record* const r = table_.find(o.target);
    if (!r)
        return false;
    if (ways_of(o).may_be_first && r->is->expects() && course_.options.shuffle_completions && course_.chance.below(2) == 1) {
        r->is->hasten();
        if (o.state == operation_state::finished)
            return true;
    }
    r->is->forget(o);
    answer(o, std::errc::operation_canceled);
    leave(*r, o);
    return true;
}

std::error_code handles::close(handle h) {
    record* const r = table_.find(h);
    if (!r)
        return error(std::errc::bad_file_descriptor);
    if (r->reader)
        cancel(*r->reader);
    if (r->writer)
        cancel(*r->writer);
    const std::unique_ptr<object> closed = std::move(r->is);
    ++r->generation;
    table_.give_back(*r);
    --open_;
    closed->close();
    return {};
}

}
