// exception_group.cpp - flattening, splitting and printing trees of exceptions.
#include <corun/errors.hpp>
#include <corun/exception_group.hpp>

#include "inspect/tree_text.hpp"

#include <iterator>
#include <optional>
#include <utility>

namespace corun {
namespace {

/// The group that `e` is, or null. The exception lives as long as `e`.
const exception_group* as_group(const std::exception_ptr& e) {
    try {
        std::rethrow_exception(e);
    } catch (const exception_group& g) {
        return &g;
    } catch (...) {
        return nullptr;
    }
}

std::string describe_leaf(const std::exception_ptr& e) {
    try {
        std::rethrow_exception(e);
    } catch (const std::exception& known) {
        return known.what();
    } catch (const cancelled&) {
        return "cancelled";
    } catch (const char* text) {
        return text;
    } catch (const std::string& text) {
        return text;
    } catch (...) {
        return "an exception that is no std::exception";
    }
}

/// A group, and which of its exceptions comes next.
struct place {
    const exception_group* group;
    std::size_t next = 0;

    bool is_over() const noexcept { return next == group->size(); }
    const std::exception_ptr& take() noexcept { return group->exceptions()[next++]; }
};

/// Calls `leaf(exception, depth)` and `enter(group, depth)` for all that is inside, in order.
template <class Leaf, class Enter>
void walk_group(const exception_group& group, Leaf leaf, Enter enter) {
    const auto step = [&](place& here, std::size_t depth) {
        const std::exception_ptr& e = here.take();
        const exception_group* const inner = as_group(e);
        if (inner)
            enter(*inner, depth);
        else
            leaf(e, depth);
        return inner ? std::optional(place{inner}) : std::nullopt;
    };
    detail::walk(place{&group}, step, [](const place&, const place&) {});
}

void begin_line(std::string& text, std::size_t depth) {
    text.append("\n").append(detail::indent_at(depth) - 2, ' ') += "- " + detail::depth_note(depth);
}

/// What groups that are being destroyed on this thread held: the outermost of them lets go of it, one after the other.
thread_local std::vector<std::exception_ptr>* left_behind = nullptr;

}

exception_group::exception_group(std::string message, std::vector<std::exception_ptr> exceptions)
    : message_(std::move(message)), exceptions_(std::move(exceptions)) {
    what_ = message_ + " (" + std::to_string(exceptions_.size()) + (exceptions_.size() == 1 ? " exception)" : " exceptions)");
}

exception_group::~exception_group() {
    if (exceptions_.empty())
        return;
    if (left_behind) {
        try {
            left_behind->insert(left_behind->end(), std::make_move_iterator(exceptions_.begin()),
                                std::make_move_iterator(exceptions_.end()));
        } catch (...) {   // no memory: they go inside this call
        }
        return;
    }
    left_behind = &exceptions_;
    while (!exceptions_.empty()) {
        // Out of the list first: whatever it holds is put there.
        const std::exception_ptr last = std::exchange(exceptions_.back(), nullptr);
        exceptions_.pop_back();
    }
    left_behind = nullptr;
}

std::vector<std::exception_ptr> exception_group::flatten() const {
    std::vector<std::exception_ptr> flat;
    walk_group(*this, [&flat](const std::exception_ptr& e, std::size_t) { flat.push_back(e); }, [](const exception_group&, std::size_t) {});
    return flat;
}

std::pair<std::exception_ptr, std::exception_ptr> exception_group::split(predicate belongs) const {
    struct half_done : place {
        std::vector<std::exception_ptr> matching;
        std::vector<std::exception_ptr> rest;
    };
    const auto grouped = [](const exception_group& group, std::vector<std::exception_ptr>& part) {
        return part.empty() ? std::exception_ptr() : std::make_exception_ptr(exception_group(group.message_, std::move(part)));
    };
    const auto parts_of = [&grouped](half_done& done) {
        return std::pair(grouped(*done.group, done.matching), grouped(*done.group, done.rest));
    };
    const auto step = [&belongs](half_done& here, std::size_t) {
        const std::exception_ptr& e = here.take();
        const exception_group* const inner = as_group(e);
        if (!inner)
            (belongs(e) ? here.matching : here.rest).push_back(e);
        return inner ? std::optional(half_done{{inner}, {}, {}}) : std::nullopt;
    };
    const auto leave = [&parts_of](half_done& done, half_done& above) {
        auto [matching, rest] = parts_of(done);
        if (matching)
            above.matching.push_back(std::move(matching));
        if (rest)
            above.rest.push_back(std::move(rest));
    };
    half_done whole = detail::walk(half_done{{this}, {}, {}}, step, leave);
    return parts_of(whole);
}

std::string exception_group::to_string() const {
    std::string text = what();
    const auto leaf = [&text](const std::exception_ptr& e, std::size_t depth) {
        begin_line(text, depth);
        text += describe_leaf(e);
    };
    const auto enter = [&text](const exception_group& group, std::size_t depth) {
        begin_line(text, depth);
        text += group.what();
    };
    walk_group(*this, leaf, enter);
    return text;
}

std::string describe(const std::exception_ptr& e) {
    if (!e)
        return {};
    const exception_group* const group = as_group(e);
    return group ? group->to_string() : describe_leaf(e);
}

}
