// cards_without_handle.hpp - what every backend makes of cards that name no handle.
#pragma once

#include <corun/address.hpp>
#include <corun/backend.hpp>
#include <support/catch.hpp>

#include <cstddef>
#include <system_error>

namespace testing {

/// A kind that needs a handle answers bad_file_descriptor, what is no kind operation_not_supported; a cancel finds nobody.
inline void check_cards_without_handle(corun::backend& b) {
    struct card final : corun::operation {
        explicit card(corun::operation_kind k) noexcept : operation(k, corun::handle()) {}
        corun::interruption interrupt(corun::detail::task_state*&) noexcept override { return corun::interruption::refused; }
        std::string_view what() const noexcept override { return "card"; }
    };
    for (std::size_t i = 0; i <= corun::kind_count; ++i) {
        const auto kind = static_cast<corun::operation_kind>(i);
        const corun::kind_row& row = corun::row_of(kind);
        INFO("kind " << i);
        card o(kind);
        char memory[8] = {};
        o.slice = {memory, sizeof memory};
        const corun::address where = corun::address::loopback(1);
        if (kind == corun::operation_kind::connect)
            o.to = &where;
        else if (row.answer == corun::kind_answer::ready)
            o.wanted = corun::ready::readable;
        REQUIRE(b.submit(o) == corun::submitted::finished);
        CHECK(o.state == corun::operation_state::finished);
        CHECK(o.error_code() == (i < corun::kind_count ? std::errc::bad_file_descriptor : std::errc::operation_not_supported));

        card pending(kind);
        pending.state = corun::operation_state::pending;
        CHECK_FALSE(b.cancel(pending));
        CHECK(pending.state == corun::operation_state::pending);
    }
    corun::operation_list finished;
    b.wait(corun::time_point::min(), finished);
    CHECK(finished.empty());
}

}
