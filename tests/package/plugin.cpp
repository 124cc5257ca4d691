// plugin.cpp - a shared object that has corun inside: a plugin, a module of another language.
#include <corun/corun.hpp>

namespace {

corun::task<int> answer() {
    co_await corun::yield();
    co_return 42;
}

}

extern "C" int plugin_answer() { return corun::run(answer); }
