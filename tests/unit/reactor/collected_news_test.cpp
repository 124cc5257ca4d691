// collected_news_test.cpp - news that has been collected on another library's loop, and descriptors that go before anybody takes it.
#include <unit/seam.hpp>

#include <reactor/native_poller.hpp>

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

using namespace seam;

namespace {

/// Four descriptors, of which the poller knows those that have come, and has collected news of each, in this order.
struct watched {
    watched() {
        for (std::size_t i = 0; i < 3; ++i)
            come(i);
    }
    void come(std::size_t i) {
        all[i].fd = ends[i].first.get();
        REQUIRE_FALSE(poller.attach(all[i]));   // what can be written to is news
        poller.collect();
    }
    std::vector<std::size_t> take() {
        ready_list news;
        (void)poller.take(news);
        std::vector<std::size_t> taken;
        while (registration* const r = news.pop_front())
            taken.push_back(static_cast<std::size_t>(r - all.data()));
        return taken;
    }

    std::array<std::pair<fd, fd>, 4> ends{plain_pair(), plain_pair(), plain_pair(), plain_pair()};
    std::array<registration, 4> all;
    collecting_poller poller;
};

using numbers = std::vector<std::size_t>;

}

TEST_CASE(
    "news of a descriptor that goes before it was taken is forgotten; the others' keeps its order, and what comes later is behind it") {
    const auto [gone, left] = GENERATE(table<std::size_t, numbers>({{0, numbers{1, 2, 3}}, {1, numbers{0, 2, 3}}, {2, numbers{0, 1, 3}}}));
    watched w;
    w.poller.detach(w.all[gone]);
    CHECK(w.all[gone].reported == 0);
    w.come(3);
    CHECK(w.poller.has_news());
    CHECK(w.take() == left);
    CHECK_FALSE(w.poller.has_news());
}

TEST_CASE("when every descriptor with news has gone there is none, and a descriptor without news takes none with it") {
    watched w;
    for (const std::size_t i : {1u, 2u, 0u})
        w.poller.detach(w.all[i]);
    CHECK_FALSE(w.poller.has_news());
    w.come(3);
    CHECK(w.take() == numbers{3});
    w.all[3].reported = 0;   // as the reactor that has taken it
    w.come(0);
    w.poller.detach(w.all[3]);
    CHECK(w.take() == numbers{0});
}
