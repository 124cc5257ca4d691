// glib_host.hpp - a guest on a GMainContext: GTK, GStreamer, anything with a GMainLoop.
#pragma once

#include <corun/guest.hpp>

#include <memory>

typedef struct _GMainContext GMainContext;

namespace corun {

/// Hosts a guest as a GSource of a context that the guest's thread iterates. A main loop that runs inside a task (a modal dialog) leaves
/// the guest out until it ends. It keeps no main loop running: that ends by g_main_loop_quit(), and finds the guest as it was when it is
/// run again.
class glib_host {
public:
    /// Attaches with GLib's priority (G_PRIORITY_DEFAULT is 0); null is the default context. The guest must outlive this; the context is
    /// kept. Throws usage_error if the guest has a host, std::system_error if a thread that its backend needs can't be made.
    explicit glib_host(guest& g, GMainContext* context = nullptr, int priority = 0, dispatch_budget budget = {});
    glib_host(const glib_host&) = delete;

    /// Detaches. A guest whose run is not over needs another host, or request_stop() and drain().
    ~glib_host();

private:
    struct source;

    source* source_;
};

}
