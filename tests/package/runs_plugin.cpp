// runs_plugin.cpp PLUGIN - a task calls a plugin that runs corun: a nested run, though the two were linked apart.
#include <corun/corun.hpp>

#include <dlfcn.h>

#include <cstdio>

int main(int, char* argv[]) {
    void* const plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    void* const found = plugin ? dlsym(plugin, "plugin_answer") : nullptr;
    if (!found)
        return std::fprintf(stderr, "%s\n", dlerror()), 1;
    const auto answer = reinterpret_cast<int (*)()>(found);
    const auto nested = [&]() -> corun::task<> {
        try {
            std::printf("a nested run gave %d\n", answer());
        } catch (const corun::usage_error& e) {
            std::printf("%s\n", e.what());
        }
        co_return;
    };
    corun::run(nested);
    std::printf("afterwards the plugin gave %d\n", answer());
}
