// trace.hpp - what happened, in order.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace testing {

/// `t.note("a1")` at each step; `CHECK(t.joined() == "a1 b1 a2 b2")` at the end.
class trace {
public:
    void note(std::string what) { events_.push_back(std::move(what)); }

    /// All of it, with a blank between two.
    std::string joined() const {
        std::string text;
        for (const std::string& event : events_)
            text += (text.empty() ? "" : " ") + event;
        return text;
    }
    const std::vector<std::string>& events() const noexcept { return events_; }
    bool empty() const noexcept { return events_.empty(); }
    void clear() noexcept { events_.clear(); }

private:
    std::vector<std::string> events_;
};

}
