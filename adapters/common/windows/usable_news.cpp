// usable_news.cpp - see usable_news.hpp: no backend of this system has a handle.
#include <corun/usable_news.hpp>

namespace corun {

guest_news usable_news(guest& g, watched_by) {
    g.check_thread();
    return g.news();
}

}
