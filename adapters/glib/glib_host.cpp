// glib_host.cpp - see glib_host.hpp.
#include <corun/glib_host.hpp>
#include <corun/hosting.hpp>
#include <corun/usable_news.hpp>

#include <algorithm>
#include <chrono>
#include <new>

#include <glib-unix.h>
#include <glib.h>

namespace corun {
namespace {

/// GLib's clock counts microseconds; the guest's may be another one.
gint64 ready_time_of(time_point deadline, time_point now) noexcept {
    const auto left = std::chrono::ceil<std::chrono::microseconds>(std::max(deadline - now, duration::zero())).count();
    const gint64 current = g_get_monotonic_time();
    return left > G_MAXINT64 - current ? -1 : current + left;
}

}

/// GLib allocates it, and keeps it as long as somebody holds it.
struct glib_host::source : GSource {
    struct own {
        hosting hosted;
        gpointer tag = nullptr;
        bool is_ready = false;   // prepare() said so: GLib's check asks again
        bool sleeps = false;     // since prepare() said no; until dispatch()
    };

    static source& of(GSource* s) noexcept { return *static_cast<source*>(s); }

    static gboolean on_prepare(GSource* s, gint* timeout) {
        own& o = *of(s).data;
        *timeout = -1;
        const guest* const g = o.hosted.hosted();
        if (!g || g->is_finished() || o.sleeps)
            return FALSE;
        // Before prepare(): from its answer on the hook may set the time, which must stay then.
        const auto deadline = o.hosted.deadline();
        g_source_set_ready_time(s, deadline ? ready_time_of(*deadline, g->get_loop().time()) : -1);
        o.is_ready = o.hosted.prepare();
        o.sleeps = !o.is_ready;
        return o.is_ready;
    }

    static gboolean on_check(GSource* s) {
        own& o = *of(s).data;
        // A time that has come GLib sees itself.
        return o.hosted.hosted() && (o.is_ready || (o.tag && g_source_query_unix_fd(s, o.tag) != 0));
    }

    static gboolean on_dispatch(GSource* s, GSourceFunc, gpointer) {
        own& o = *of(s).data;
        g_source_set_ready_time(s, -1);
        o.sleeps = o.is_ready = false;
        const auto left = o.hosted.dispatch();   // GLib keeps the source meanwhile, and what is in it
        if (left && !left->finished)
            return G_SOURCE_CONTINUE;
        o.tag = nullptr;   // goes with the source
        return G_SOURCE_REMOVE;
    }

    static void on_finalize(GSource* s) { delete of(s).data; }

    own* data;
};

namespace {

void make_ready(void* s) noexcept { g_source_set_ready_time(static_cast<GSource*>(s), 0); }

}

glib_host::glib_host(guest& g, GMainContext* context, int priority, dispatch_budget budget) {
    static GSourceFuncs functions{&source::on_prepare, &source::on_check, &source::on_dispatch, &source::on_finalize, nullptr, nullptr};
    auto made = std::unique_ptr<source::own>(new source::own{hosting(g, budget)});
    source_ = static_cast<source*>(g_source_new(&functions, sizeof(source)));
    source_->data = made.release();
    g_source_set_name(source_, "corun guest");
    g_source_set_priority(source_, priority);
    guest_news news = guest_news::helper_thread;
    try {
        news = usable_news(g, watched_by::poll);
        source_->data->hosted.attach(news, {&make_ready, static_cast<GSource*>(source_)});
    } catch (...) {
        g_source_unref(source_);
        throw;
    }
    if (news == guest_news::handle)
        source_->data->tag = g_source_add_unix_fd(source_, static_cast<gint>(g.poll_handle()), G_IO_IN);
    g_source_set_ready_time(source_, 0);
    g_source_attach(source_, context);
}

glib_host::~glib_host() {
    source_->data->hosted.detach();
    g_source_destroy(source_);
    g_source_unref(source_);
}

}
