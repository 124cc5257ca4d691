// simulate.cpp - one seed after another; what fails is run again with fewer and smaller choices.
#include <corun/exception_group.hpp>
#include <corun/simulate.hpp>

#include <algorithm>
#include <exception>
#include <optional>

namespace corun::detail {
namespace {

using choice_list = std::vector<std::uint32_t>;

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

struct failure {
    std::string text;   // all of it
    std::string id;     // what stays the same when the same thing fails with other choices
};

/// The first line; of a group, whose own says nothing, that of each exception inside.
std::string id_of(const std::exception_ptr& e) {
    try {
        std::rethrow_exception(e);
    } catch (const exception_group& group) {
        std::string id;
        for (const std::exception_ptr& one : group.flatten())
            id += first_line(describe(one)) + '\n';
        return id;
    } catch (...) {
        return first_line(describe(e));
    }
}

/// What fails; nothing if nothing does.
std::optional<failure> failure_of(const simulated_run& once, const sim_options& options, sim_control& control) {
    try {
        once(options, control);
    } catch (...) {
        const std::exception_ptr e = std::current_exception();
        return failure{describe(e), id_of(e)};
    }
    return std::nullopt;
}

class shrinker {
public:
    shrinker(const simulated_run& once, const sim_options& options, choice_list failing, std::string id)
        : once_(once), options_(options), best_(std::move(failing)), id_(std::move(id)) {}

    choice_list operator()() {
        drop_the_end();
        for (std::size_t block = best_.size(); block > 0; block /= 2)
            zero_blocks(block);
        for (std::size_t i = 0; i < best_.size(); ++i)
            while (best_[i] > 0 && try_with([i](choice_list& l) { l[i] /= 2; })) {
            }
        while (!best_.empty() && best_.back() == 0)
            best_.pop_back();
        return best_;
    }

private:
    static constexpr int most_tries = 500;

    void drop_the_end() {
        for (std::size_t keep = 0; keep < best_.size(); keep += (best_.size() - keep + 1) / 2)
            if (try_with([keep](choice_list& l) { l.resize(keep); }))
                return drop_the_end();
    }

    void zero_blocks(std::size_t block) {
        for (std::size_t from = 0; from < best_.size(); from += block) {
            const std::size_t to = std::min(from + block, best_.size());
            const auto zero = [](std::uint32_t value) { return value == 0; };
            const auto begin = best_.begin() + static_cast<std::ptrdiff_t>(from);
            if (!std::all_of(begin, best_.begin() + static_cast<std::ptrdiff_t>(to), zero))
                (void)try_with([from, to](choice_list& l) {
                    std::fill(l.begin() + static_cast<std::ptrdiff_t>(from), l.begin() + static_cast<std::ptrdiff_t>(to), 0);
                });
        }
    }

    /// Keeps the change if the program still fails in the same way.
    template <class Change>
    bool try_with(Change change) {
        if (tries_++ >= most_tries)
            return false;
        choice_list changed = best_;
        change(changed);
        sim_options options = options_;
        sim_control control;
        const auto found = failure_of(once_, options.replay(changed), control);
        if (!found || found->id != id_)
            return false;
        best_ = std::move(changed);
        return true;
    }

    const simulated_run& once_;
    const sim_options& options_;
    choice_list best_;
    std::string id_;
    int tries_ = 0;
};

sim_options with_seed(const sim_options& base, std::uint64_t seed) {
    sim::settings settings = base.settings();
    settings.seed = seed;
    return sim_options(std::move(settings));
}

std::string as_text(const choice_list& list) {
    std::string text;
    for (const std::uint32_t value : list)
        text += (text.empty() ? "" : ", ") + std::to_string(value);
    return "{" + text + "}";
}

}

std::uint64_t run_seeds(const seed_range& seeds, const sim_options& base, const simulated_run& once) {
    std::uint64_t all = 0;
    for (std::uint64_t i = 0; i < seeds.count; ++i) {
        const std::uint64_t seed = seeds.first + i;
        const sim_options options = with_seed(base, seed);
        sim_control control;
        const auto found = failure_of(once, options, control);
        if (found) {
            const choice_list fewest = shrinker(once, options, control.choices(), found->id)();
            throw simulation_failure(seed, fewest, found->text,
                                     "corun: simulation failed with seed " + std::to_string(seed) + ": " + found->text + "\n" +
                                         std::to_string(control.choices().size()) + " choices, shrunk to " + std::to_string(fewest.size()) +
                                         ": sim_options(" + std::to_string(seed) + ").replay(" + as_text(fewest) +
                                         ") and the other options of this run");
        }
        all = all * 0x100000001b3 ^ control.hash();
    }
    return all;
}

}
