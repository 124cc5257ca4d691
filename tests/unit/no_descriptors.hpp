// no_descriptors.hpp - a process that is out of descriptors.
#pragma once

#include <posix/fd.hpp>
#include <support/catch.hpp>
#include <support/os.hpp>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>

/// While it lives, no further descriptor can be had.
class no_descriptors {
public:
    no_descriptors() {
        REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
        // The limit is one above the largest number in use; the gaps below are filled.
        rlimit now = before_;
        now.rlim_cur = 0;
        const auto open = testing::os::open_descriptors().value();
        for (const auto& d : open)
            now.rlim_cur = std::max<rlim_t>(now.rlim_cur, std::stoul(d) + 1);
        REQUIRE(::setrlimit(RLIMIT_NOFILE, &now) == 0);
        for (;;) {
            corun::posix::fd one(::open("/dev/null", O_RDONLY | O_CLOEXEC));
            if (!one)
                break;
            held_.push_back(std::move(one));
        }
        REQUIRE(errno == EMFILE);
    }
    ~no_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
    std::vector<corun::posix::fd> held_;
};
