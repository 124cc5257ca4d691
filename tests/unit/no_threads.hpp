// no_threads.hpp - a process that can start no further thread.
#pragma once

#include <support/catch.hpp>

#include <cstddef>

#include <pthread.h>

/// While it lives, no thread can be started: its stack would be larger than what a process can address.
class no_threads {
public:
    no_threads() {
        REQUIRE(::pthread_getattr_default_np(&before_) == 0);
        pthread_attr_t now;
        REQUIRE(::pthread_getattr_default_np(&now) == 0);
        REQUIRE(::pthread_attr_setstacksize(&now, std::size_t(1) << 47) == 0);
        REQUIRE(::pthread_setattr_default_np(&now) == 0);
        ::pthread_attr_destroy(&now);
    }
    no_threads(const no_threads&) = delete;
    ~no_threads() {
        ::pthread_setattr_default_np(&before_);
        ::pthread_attr_destroy(&before_);
    }

private:
    pthread_attr_t before_;
};
