#include <hosts/hosts.hpp>

#include <corun/glib_host.hpp>

#include <chrono>
#include <optional>
#include <utility>

#include <glib.h>

namespace testing {
namespace {

class glib_test_host final : public test_host {
public:
    ~glib_test_host() override { g_main_context_unref(context_); }
    void attach(corun::guest& g, corun::dispatch_budget budget) override { host_.emplace(g, context_, G_PRIORITY_DEFAULT, budget); }
    void run_until(const std::function<bool()>& is_enough) override {
        while (!is_enough())
            g_main_context_iteration(context_, TRUE);
    }
    void run() override {
        main_loop_ = g_main_loop_new(context_, FALSE);
        g_main_loop_run(main_loop_);
        g_main_loop_unref(std::exchange(main_loop_, nullptr));
    }
    void quit() override {
        if (main_loop_)
            g_main_loop_quit(main_loop_);
    }
    void call_after(corun::duration d, std::function<void()> f) override {
        GSource* const timer = g_timeout_source_new(static_cast<guint>(std::chrono::ceil<std::chrono::milliseconds>(d).count()));
        g_source_set_callback(
            timer,
            [](gpointer data) -> gboolean {
                (*static_cast<std::function<void()>*>(data))();
                return G_SOURCE_REMOVE;
            },
            new std::function<void()>(std::move(f)), [](gpointer data) { delete static_cast<std::function<void()>*>(data); });
        g_source_attach(timer, context_);
        g_source_unref(timer);
    }
    void detach() override { host_.reset(); }

private:
    GMainContext* context_ = g_main_context_new();
    GMainLoop* main_loop_ = nullptr;
    std::optional<corun::glib_host> host_;
};

}

std::unique_ptr<test_host> make_glib_test_host() { return std::make_unique<glib_test_host>(); }

}
