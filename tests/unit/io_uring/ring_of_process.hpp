// ring_of_process.hpp - the newest ring of this process, seen past its backend: what the kernel does to requests by itself.
#pragma once

#include <support/catch.hpp>
#include <support/os.hpp>

#include <algorithm>
#include <cerrno>
#include <string>

#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <unistd.h>

/// The newest descriptor of this process of that kind, as /proc calls it: whoever started the program may have left it older ones.
inline int newest_descriptor(const char* kind) {
    int newest = -1;
    const auto all = testing::os::open_descriptors().value();
    for (const std::string& each : all)
        if (each.find(kind) != each.npos)
            newest = std::max(newest, std::stoi(each));
    REQUIRE(newest >= 0);
    return newest;
}

/// Its descriptor: the largest, as each new one of these tests is.
inline int newest_ring() { return newest_descriptor("[io_uring]"); }

/// The kernel ends every request of the ring with ECANCELED, without having been asked to by the backend. Linux 6.0 or later.
inline void end_all_requests(int ring) {
    io_uring_sync_cancel_reg all{};
    all.fd = -1;
    all.flags = IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL;
    all.timeout = {-1, -1};
    const auto ended = ::syscall(SYS_io_uring_register, ring, IORING_REGISTER_SYNC_CANCEL, &all, 1);
    INFO("errno " << errno);
    REQUIRE(ended > 0);
}
