// refuse_call.hpp - a filter as containers set it. For children: it can't be taken back.
#pragma once

#include <cstddef>
#include <stdexcept>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

namespace seccomp {

template <std::size_t count>
void set_filter(sock_filter (&program)[count]) {
    const sock_fprog all{count, program};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all) != 0)
        throw std::runtime_error("no filter can be set here");
}

}

/// From now on the system call answers `error` in this process.
inline void refuse_call(unsigned number, unsigned error) {
    sock_filter program[] = {
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, number},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | error},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    };
    seccomp::set_filter(program);
}

/// The same of calls whose second argument is `what`: some are many in one.
inline void refuse_call(unsigned number, unsigned what, unsigned error) {
    sock_filter program[] = {
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 3, number},
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, args[1])},   // its low half, on little-endian machines
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, what},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | error},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    };
    seccomp::set_filter(program);
}
