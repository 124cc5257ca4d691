// exception_group.cpp - flattening, splitting and printing trees of exceptions.
#include <corun/errors.hpp>
#include <corun/exception_group.hpp>

#include <typeinfo>

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

void print_tree(std::string& text, const exception_group& group, const std::string& indent) {
    text += group.what();
    for (const std::exception_ptr& e : group.exceptions()) {
        text += "\n" + indent + "  - ";
        if (const exception_group* const inner = as_group(e))
            print_tree(text, *inner, indent + "    ");
        else
            text += describe_leaf(e);
    }
}

void flatten_into(std::vector<std::exception_ptr>& flat, const exception_group& group) {
    for (const std::exception_ptr& e : group.exceptions()) {
        if (const exception_group* const inner = as_group(e))
            flatten_into(flat, *inner);
        else
            flat.push_back(e);
    }
}

}

exception_group::exception_group(std::string message, std::vector<std::exception_ptr> exceptions)
    : message_(std::move(message)), exceptions_(std::move(exceptions)) {
    what_ = message_ + " (" + std::to_string(exceptions_.size()) + (exceptions_.size() == 1 ? " exception)" : " exceptions)");
}

std::vector<std::exception_ptr> exception_group::flatten() const {
    std::vector<std::exception_ptr> flat;
    flatten_into(flat, *this);
    return flat;
}

std::pair<std::exception_ptr, std::exception_ptr> exception_group::split(predicate belongs) const {
    std::vector<std::exception_ptr> matching;
    std::vector<std::exception_ptr> rest;
    for (const std::exception_ptr& e : exceptions_) {
        if (const exception_group* const inner = as_group(e)) {
            const auto [inner_matching, inner_rest] = inner->split(belongs);
            if (inner_matching)
                matching.push_back(inner_matching);
            if (inner_rest)
                rest.push_back(inner_rest);
        } else {
            (belongs(e) ? matching : rest).push_back(e);
        }
    }
    const auto grouped = [this](std::vector<std::exception_ptr>& part) {
        return part.empty() ? std::exception_ptr() : std::make_exception_ptr(exception_group(message_, std::move(part)));
    };
    return {grouped(matching), grouped(rest)};
}

std::string exception_group::to_string() const {
    std::string text;
    print_tree(text, *this, "");
    return text;
}

std::string describe(const std::exception_ptr& e) {
    if (!e)
        return {};
    const exception_group* const group = as_group(e);
    return group ? group->to_string() : describe_leaf(e);
}

}
