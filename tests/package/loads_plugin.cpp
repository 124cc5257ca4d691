// loads_plugin.cpp PLUGIN - a program that knows nothing of corun, and calls what has it inside.
#include <dlfcn.h>

#include <cstdio>

int main(int, char* argv[]) {
    void* const plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    void* const answer = plugin ? dlsym(plugin, "plugin_answer") : nullptr;
    if (!answer)
        return std::fprintf(stderr, "%s\n", dlerror()), 1;
    std::printf("a plugin gave %d\n", reinterpret_cast<int (*)()>(answer)());
}
