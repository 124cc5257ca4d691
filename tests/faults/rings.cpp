// rings.cpp - liburing's calls, which ask the kernel by themselves. A request that is to fail becomes one that does nothing, and its answer
// is written over before the program sees it; answers change places or come later.
#include "decide.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

#include <liburing.h>

namespace {

using namespace faults;

/// Answers to be written over. A ring belongs to one thread.
struct forgery {
    std::uint64_t request = 0;
    int answer = 0;
};
thread_local std::array<forgery, 256> forgeries;
thread_local std::size_t forgery_count = 0;

/// How many answers of a ring, by its descriptor, are held back at the end of its queue.
std::array<unsigned, 65536> held_back;

unsigned& held_of(const io_uring& r) noexcept { return held_back[static_cast<std::size_t>(r.ring_fd) % held_back.size()]; }

io_uring_cqe& answer_at(io_uring& r, unsigned at) noexcept { return r.cq.cqes[at & r.cq.ring_mask]; }

void forge(io_uring_sqe& e, int answer) noexcept {
    const std::uint64_t request = e.user_data;
    forgeries[forgery_count++] = {request, answer};
    std::memset(&e, 0, sizeof e);
    e.opcode = IORING_OP_NOP;
    e.fd = -1;
    e.user_data = request;
}

/// One byte; of a list of slices, one of the first that isn't empty.
void shorten(io_uring_sqe& e) noexcept {
    if (e.opcode == IORING_OP_RECV || e.opcode == IORING_OP_SEND) {
        if (e.len > 1)
            inject(errno);
        e.len = std::min(e.len, 1U);
        return;
    }
    const auto* const m = reinterpret_cast<const msghdr*>(static_cast<std::uintptr_t>(e.addr));
    for (std::size_t i = 0; i < m->msg_iovlen; ++i) {
        if (m->msg_iov[i].iov_len == 0)
            continue;
        inject(errno);
        e.opcode = e.opcode == IORING_OP_RECVMSG ? IORING_OP_RECV : IORING_OP_SEND;
        e.addr = reinterpret_cast<std::uintptr_t>(m->msg_iov[i].iov_base);
        e.len = 1;
        return;
    }
}

/// True, and errno, if the request fails instead of what it would do.
bool request_fails(bool accepts) noexcept {
    const bool first = accepts ? fails(calls::making_descriptors) || is_lost() : fails(calls::moving_bytes);
    return first || fails(calls::taking_memory) || is_interrupted() || (one_of_hundred(current().would_block) && inject(EAGAIN));
}

void change_request(io_uring_sqe& e) noexcept {
    const bool accepts = e.opcode == IORING_OP_ACCEPT;
    const bool transfers =
        e.opcode == IORING_OP_RECV || e.opcode == IORING_OP_RECVMSG || e.opcode == IORING_OP_SEND || e.opcode == IORING_OP_SENDMSG;
    if ((!accepts && !transfers) || forgery_count == forgeries.size())
        return;
    if (request_fails(accepts))
        forge(e, -errno);
    else if (transfers && current().tiny)
        shorten(e);
}

/// Requests that the kernel has not seen are changed, and what was held back is there again.
void before_enter(io_uring& r) noexcept {
    if (unsigned& held = held_of(r); held != 0) {
        IO_URING_WRITE_ONCE(*r.cq.ktail, *r.cq.ktail + held);
        held = 0;
    }
    for (unsigned at = r.sq.sqe_head; at != r.sq.sqe_tail; ++at)
        change_request(r.sq.sqes[at & r.sq.ring_mask]);
}

void write_over(io_uring_cqe& a) noexcept {
    for (std::size_t i = 0; i < forgery_count; ++i) {
        if (forgeries[i].request != a.user_data)
            continue;
        a.res = forgeries[i].answer;
        forgeries[i] = forgeries[--forgery_count];
        return;
    }
}

/// Several answers of one request keep their order.
bool is_alone(io_uring& r, unsigned first, unsigned end, unsigned at) noexcept {
    for (unsigned other = first; other != end; ++other)
        if (other != at && answer_at(r, other).user_data == answer_at(r, at).user_data)
            return false;
    return true;
}

void reorder(io_uring& r, unsigned first, unsigned end) noexcept {
    for (unsigned at = first; at != end; ++at) {
        const unsigned other = first + draw(end - first);
        if (is_alone(r, first, end, at) && is_alone(r, first, end, other))
            std::swap(answer_at(r, at), answer_at(r, other));
    }
}

/// As if they came later: the ring says that the kernel has more, and the next call that enters it brings them.
void hold_back(io_uring& r, unsigned count) noexcept {
    if ((r.flags & IORING_SETUP_DEFER_TASKRUN) == 0)   // else the kernel adds to the queue at any time
        return;
    held_of(r) = count;
    IO_URING_WRITE_ONCE(*r.cq.ktail, *r.cq.ktail - count);
    __atomic_fetch_or(r.sq.kflags, IORING_SQ_TASKRUN, __ATOMIC_SEQ_CST);
}

void after_enter(io_uring& r) noexcept {
    const unsigned first = *r.cq.khead;
    const unsigned end = io_uring_smp_load_acquire(r.cq.ktail);
    for (unsigned at = first; forgery_count > 0 && at != end; ++at)
        write_over(answer_at(r, at));
    if (end - first < 2 || !one_of_hundred(current().disordered))
        return;
    inject(errno);
    reorder(r, first, std::min(end, first + 64));
    if (draw(2) == 0)
        hold_back(r, 1 + draw(end - first - 1));   // who waits for an answer gets one
}

/// Enters by `call`, unless that is refused. Interrupted, it has handed over what there was all the same.
template <class Call>
int enter(io_uring& r, Call call) noexcept {
    static auto* const hand_over = real<int(io_uring*)>("io_uring_submit_and_get_events");
    constexpr int errors[] = {EAGAIN, EBUSY, EINTR};
    const bool refused = fails(calls::registering) || (one_of_hundred(current().refused_enters) && inject(errors[draw(3)]));
    const bool interrupted = refused ? errno == EINTR : is_interrupted();
    if (refused && !interrupted)
        return -errno;
    before_enter(r);
    const int handed_over = interrupted ? hand_over(&r) : call();
    after_enter(r);
    return interrupted && handed_over == 0 ? -EINTR : handed_over;
}

}

extern "C" {

int io_uring_queue_init_params(unsigned entries, io_uring* r, io_uring_params* p) {
    static auto* const f = real<int(unsigned, io_uring*, io_uring_params*)>("io_uring_queue_init_params");
    if (fails(calls::making_descriptors) || fails(calls::taking_memory))
        return -errno;
    if (current().small_rings) {
        inject(errno);
        entries = 4;
        p->cq_entries = 4U << draw(2);
    }
    const int answer = f(entries, r, p);
    if (answer == 0)
        held_of(*r) = 0;
    return answer;
}

void io_uring_queue_exit(io_uring* r) {
    static auto* const f = real<void(io_uring*)>("io_uring_queue_exit");
    forgery_count = 0;
    f(r);
}

int io_uring_submit_and_wait(io_uring* r, unsigned answers) {
    static auto* const f = real<int(io_uring*, unsigned)>("io_uring_submit_and_wait");
    return enter(*r, [&] { return f(r, answers); });
}

int io_uring_submit_and_wait_timeout(io_uring* r, io_uring_cqe** first, unsigned answers, __kernel_timespec* time, sigset_t* mask) {
    static auto* const f =
        real<int(io_uring*, io_uring_cqe**, unsigned, __kernel_timespec*, sigset_t*)>("io_uring_submit_and_wait_timeout");
    return enter(*r, [&] { return f(r, first, answers, time, mask); });
}

int io_uring_submit_and_get_events(io_uring* r) {
    static auto* const f = real<int(io_uring*)>("io_uring_submit_and_get_events");
    return enter(*r, [&] { return f(r); });
}
}
