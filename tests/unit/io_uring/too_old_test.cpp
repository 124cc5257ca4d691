// too_old_test.cpp - kernels that lack what a ring needs, as far as they can be played: liburing's calls that ask for it are the program's
// own.
#include <corun/errors.hpp>
#include <corun/io_uring.hpp>
#include <support/catch.hpp>
#include <support/os.hpp>

#include <cerrno>
#include <string>

#include <dlfcn.h>
#include <liburing.h>

namespace {

/// What the kernel of this thread's rings lacks.
struct lack {
    unsigned features = 0;
    int opcode = -1;
};
thread_local lack lacking;

template <class Function>
Function* real(const char* name) noexcept {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}

extern "C" {

int io_uring_queue_init_params(unsigned entries, io_uring* r, io_uring_params* p) {
    const int answer = real<int(unsigned, io_uring*, io_uring_params*)>("io_uring_queue_init_params")(entries, r, p);
    r->features &= ~lacking.features;
    return answer;
}

int io_uring_register(unsigned fd, unsigned what, const void* with, unsigned count) {
    const int answer = real<int(unsigned, unsigned, const void*, unsigned)>("io_uring_register")(fd, what, with, count);
    if (what == IORING_REGISTER_PROBE && lacking.opcode >= 0)
        const_cast<io_uring_probe*>(static_cast<const io_uring_probe*>(with))->ops[lacking.opcode].flags = 0;
    return answer;
}
}

using namespace corun;

namespace {

/// What making the backend says then; nothing stays open.
std::string told_without(lack what, int error) {
    const auto before = testing::os::open_descriptors();
    std::string told;
    lacking = what;
    try {
        (void)make_io_uring();
    } catch (const backend_unavailable& e) {
        told = e.what();
        CHECK(e.code().value() == error);
    }
    lacking = {};
    CHECK(testing::os::open_descriptors() == before);
    return told;
}

}

TEST_CASE("EMB-08 a kernel that lacks a feature or an operation that the ring needs is called too old, and nothing is left open") {
    for (const unsigned feature :
         {IORING_FEAT_EXT_ARG, IORING_FEAT_NODROP, IORING_FEAT_FAST_POLL, IORING_FEAT_SUBMIT_STABLE, IORING_FEAT_RSRC_TAGS})
        CHECK(told_without({.features = feature}, ENOSYS).find("this kernel's is too old") != std::string::npos);
    for (const int opcode : {IORING_OP_RECV, IORING_OP_SENDMSG, IORING_OP_ACCEPT, IORING_OP_ASYNC_CANCEL})
        CHECK(told_without({.opcode = opcode}, EOPNOTSUPP).find("lacks its opcode " + std::to_string(opcode)) != std::string::npos);
    CHECK(make_io_uring());
}
