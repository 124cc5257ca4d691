// forks.cpp - see forks.hpp.
#include "forks.hpp"

#include <corun/backend.hpp>

#include <system_error>

#include <pthread.h>

namespace corun::posix {

void watch_forks() {
    static const bool watched = [] {
        if (const int error = ::pthread_atfork(nullptr, nullptr, [] { note_fork(); }))
            throw std::system_error(error, std::system_category(), "corun: pthread_atfork");
        return true;
    }();
    (void)watched;
}

}
