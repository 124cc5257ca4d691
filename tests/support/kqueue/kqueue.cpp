// kqueue.cpp - kqueue() and kevent() over epoll, so that the sources of the kqueue backend run on Linux. For tests only: never installed.
//
// Real: EV_CLEAR, EV_ONESHOT, EV_DISPATCH, EV_ENABLE, EV_DISABLE, EV_RECEIPT, a udata for each filter, the end together with what can
// still be read, a list of events that is too short, time-outs in nanoseconds, user events from any thread and any signal handler, a queue
// that a forked child doesn't have, watched descriptors that are closed and whose numbers are used again.
// Not so: an event of one filter may bring its neighbours of the same descriptor with it, if they are true (news more often than real,
// never less often); `data` of EVFILT_WRITE is always 1; a closed descriptor reports on while a duplicate of it is open, as epoll's do.
// Refused with EINVAL: other filters; filters of one descriptor of which some clear themselves and some don't.
//
// A queue is one epoll descriptor and has no further ones, so close() closes all of it; the record under its number is used again. A user
// event is news of a descriptor that the whole process has, and that is always readable: epoll is told of it anew.
#include "sys/event.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <mutex>
#include <new>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace {

constexpr std::uint64_t user_events = UINT64_MAX;   // epoll's name for them; others are a number and a generation

// Before the program's other statics, one of which may run a loop.
int always_readable = -1;
[[gnu::constructor(101)]] void open_always_readable() { always_readable = ::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK); }

/// One filter of one descriptor.
struct filter {
    bool is_added = false;
    bool is_enabled = false;
    std::uint16_t flags = 0;
    std::uint32_t fflags = 0;
    void* udata = nullptr;

    bool is_on() const noexcept { return is_added && is_enabled; }
    bool has(unsigned flag) const noexcept { return (flags & flag) != 0; }
};

constexpr std::array<std::int16_t, 3> filter_names = {EVFILT_READ, EVFILT_WRITE, EVFILT_EXCEPT};
constexpr std::array<std::uint32_t, 3> filter_events = {EPOLLIN | EPOLLRDHUP, EPOLLOUT, EPOLLPRI};

/// A watched descriptor.
struct note {
    std::array<filter, 3> filters;
    std::uint32_t generation = 0;   // of the open file that stands under the number
    std::size_t first = 0;          // the filter whose turn it is if the list is short
};

/// Found and triggered without a lock: a handler may come while its thread holds it.
struct user_event {
    std::atomic<bool> is_added = false;
    std::atomic<bool> is_triggered = false;
    std::atomic<bool> clears = false;
    std::atomic<std::uintptr_t> ident = 0;
    std::atomic<void*> udata = nullptr;
};

/// Not of operator new, whose calls the tests count and refuse.
struct queue {
    std::mutex mutex;
    std::atomic<pid_t> process = 0;
    note* notes = nullptr;   // by descriptor
    std::size_t size = 0;
    std::uint32_t generations = 0;
    std::array<user_event, 4> users;
};

std::array<std::atomic<queue*>, 65536> queues;

queue* find(int kq) noexcept {
    if (kq < 0 || static_cast<std::size_t>(kq) >= queues.size())
        return nullptr;
    queue* const q = queues[static_cast<std::size_t>(kq)];
    return q && q->process == ::getpid() ? q : nullptr;
}

/// The errno of a call of epoll: to kqueue a descriptor that is none of its own is a bad one.
int error_now() noexcept { return errno == EINVAL ? EBADF : errno; }

int control(int kq, int what, int fd, std::uint32_t events, std::uint64_t data) noexcept {
    epoll_event e{};
    e.events = events;
    e.data.u64 = data;
    return ::epoll_ctl(kq, what, fd, &e) < 0 ? error_now() : 0;
}

int trigger(int kq) noexcept { return control(kq, EPOLL_CTL_MOD, always_readable, EPOLLIN | EPOLLET, user_events); }

int change_user(int kq, queue& q, const struct kevent& change) noexcept {
    user_event* found = nullptr;
    user_event* unused = nullptr;
    for (user_event& u : q.users) {
        if (u.is_added && u.ident == change.ident)
            found = &u;
        else if (!u.is_added)
            unused = &u;
    }
    if (!found && (change.flags & EV_ADD)) {
        if (!unused)
            return ENOMEM;
        unused->ident = change.ident;
        unused->is_triggered = false;
        unused->is_added = true;
        found = unused;
    }
    if (!found)
        return ENOENT;
    if (change.flags & EV_ADD) {
        found->clears = (change.flags & (EV_CLEAR | EV_ONESHOT)) != 0;
        found->udata = change.udata;
    }
    if (change.flags & EV_DELETE)
        found->is_added = false;
    if ((change.fflags & NOTE_TRIGGER) == 0)
        return 0;
    found->is_triggered = true;
    return trigger(kq);
}

/// Tells epoll what the filters of a descriptor want.
int register_note(int kq, queue& q, int fd, note& n) noexcept {
    std::uint32_t events = 0;
    bool is_added = false;
    bool some_clear = false;
    bool some_stay = false;
    for (std::size_t i = 0; i < n.filters.size(); ++i) {
        const filter& f = n.filters[i];
        is_added |= f.is_added;
        if (!f.is_on())
            continue;
        events |= filter_events[i];
        some_clear |= f.has(EV_CLEAR);
        some_stay |= !f.has(EV_CLEAR | EV_ONESHOT | EV_DISPATCH);
    }
    if (!is_added)
        return ::epoll_ctl(kq, EPOLL_CTL_DEL, fd, nullptr) < 0 ? error_now() : 0;
    if (some_clear && some_stay)
        return EINVAL;
    // Nothing wanted, epoll still reports ends: then only once.
    if (some_clear || events == 0)
        events |= EPOLLET;
    const auto data = [&] { return std::uint64_t(n.generation) << 32 | static_cast<std::uint32_t>(fd); };
    const int error = control(kq, EPOLL_CTL_MOD, fd, events, data());
    if (error != ENOENT)
        return error;
    n.generation = ++q.generations;
    return control(kq, EPOLL_CTL_ADD, fd, events, data());
}

note* note_of(queue& q, std::uintptr_t fd) noexcept {
    if (fd >= q.size) {
        const std::size_t size = fd * 2 + 64;
        auto* const more = static_cast<note*>(std::realloc(q.notes, size * sizeof(note)));
        if (!more)
            return nullptr;
        for (std::size_t i = q.size; i < size; ++i)
            ::new (more + i) note();
        q.notes = more;
        q.size = size;
    }
    return &q.notes[fd];
}

/// True if the number stands for another open file than the one that was watched, whose filters went with it.
bool was_closed(int kq, int fd, const note& n) noexcept {
    const std::uint64_t data = std::uint64_t(n.generation) << 32 | static_cast<std::uint32_t>(fd);
    // Changes nothing but the events, which are set again in a moment.
    return control(kq, EPOLL_CTL_MOD, fd, EPOLLET, data) == ENOENT;
}

int change_filter(int kq, queue& q, const struct kevent& change) noexcept {
    std::size_t which = 0;
    while (which < filter_names.size() && filter_names[which] != change.filter)
        ++which;
    if (which == filter_names.size())
        return EINVAL;
    if (change.ident > INT_MAX)
        return EBADF;
    const int fd = static_cast<int>(change.ident);
    const std::lock_guard lock(q.mutex);
    note* const n = note_of(q, change.ident);
    if (!n)
        return ENOMEM;
    if (n->generation != 0 && was_closed(kq, fd, *n))
        n->filters = {};
    filter& f = n->filters[which];
    if (!f.is_added && (change.flags & EV_ADD) == 0)
        return ENOENT;
    const filter before = f;
    if (change.flags & EV_ADD) {
        f.is_enabled = f.is_enabled || !f.is_added;
        f.is_added = true;
        f.flags = change.flags;
        f.fflags = change.fflags;
        f.udata = change.udata;
    }
    if (change.flags & EV_ENABLE)
        f.is_enabled = true;
    if (change.flags & EV_DISABLE)
        f.is_enabled = false;
    if (change.flags & EV_DELETE)
        f = {};
    const int error = register_note(kq, q, fd, *n);
    if (error != 0 && (change.flags & EV_DELETE) == 0) {
        f = before;
        (void)register_note(kq, q, fd, *n);   // the others are looked for as before
    }
    return error;
}

/// Puts events into the caller's list.
struct collector {
    bool is_full() const noexcept { return count == size; }

    struct kevent& add(std::uintptr_t ident, std::int16_t filter, void* udata) noexcept {
        events[count] = {ident, filter, 0, 0, 0, udata};
        return events[count++];
    }

    struct kevent* events;
    int size;
    int count;
};

void collect_users(int kq, queue& q, collector& into) noexcept {
    bool again = false;
    for (user_event& u : q.users) {
        if (!u.is_added)
            continue;
        if (into.is_full() || !u.clears)
            again |= u.is_triggered;
        if (!into.is_full() && (u.clears ? u.is_triggered.exchange(false) : u.is_triggered.load()))
            into.add(u.ident, EVFILT_USER, u.udata).flags = u.clears ? EV_CLEAR : 0;
    }
    if (again)
        trigger(kq);
}

/// What a filter says to what epoll says.
bool is_true(std::size_t which, std::uint32_t events) noexcept {
    constexpr std::uint32_t ends = EPOLLHUP | EPOLLERR;
    return (events & (filter_events[which] | (filter_names[which] == EVFILT_EXCEPT ? 0 : ends))) != 0;
}

void report(int fd, std::size_t which, const filter& f, std::uint32_t events, collector& into) noexcept {
    struct kevent& e = into.add(static_cast<std::uintptr_t>(fd), filter_names[which], f.udata);
    e.flags = f.flags & (EV_CLEAR | EV_ONESHOT | EV_DISPATCH);
    e.data = 1;
    if (filter_names[which] == EVFILT_EXCEPT) {
        e.fflags = NOTE_OOB;
        return;
    }
    if (events & ((filter_names[which] == EVFILT_READ ? EPOLLRDHUP : 0u) | EPOLLHUP | EPOLLERR))
        e.flags |= EV_EOF;
    int readable = 0;
    if (filter_names[which] == EVFILT_READ && ::ioctl(fd, FIONREAD, &readable) == 0 && (readable > 0 || (e.flags & EV_EOF)))
        e.data = readable;   // a listener has no bytes
}

void collect_note(int kq, queue& q, const epoll_event& found, collector& into) noexcept {
    const auto fd = static_cast<std::uint32_t>(found.data.u64);
    if (fd >= q.size || q.notes[fd].generation != found.data.u64 >> 32)
        return;
    note& n = q.notes[fd];
    bool changed = false;
    bool missed = false;
    for (std::size_t turn = 0; turn < n.filters.size(); ++turn) {
        const std::size_t which = (n.first + turn) % n.filters.size();
        filter& f = n.filters[which];
        if (!f.is_on() || !is_true(which, found.events))
            continue;
        if (into.is_full()) {
            n.first = which;
            missed = true;
            break;
        }
        report(static_cast<int>(fd), which, f, found.events, into);
        changed |= f.has(EV_ONESHOT | EV_DISPATCH);
        if (f.has(EV_ONESHOT))
            f = {};
        else if (f.has(EV_DISPATCH))
            f.is_enabled = false;
    }
    // Registered anew, what is still true is reported once more.
    if (changed || missed)
        register_note(kq, q, static_cast<int>(fd), n);
}

using nanoseconds = std::int64_t;

nanoseconds now() noexcept {
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

/// Waits until epoll has something, or until then: with nanoseconds on every kernel. -1 and EINTR if a signal came.
int wait_until(int kq, const nanoseconds* end) noexcept {
    pollfd p{kq, POLLIN, 0};
    if (!end)
        return ::ppoll(&p, 1, nullptr, nullptr);
    const nanoseconds left = *end - now();
    if (left <= 0)
        return 0;
    const timespec timeout{left / 1'000'000'000, left % 1'000'000'000};
    return ::ppoll(&p, 1, &timeout, nullptr);
}

/// What there is, without waiting; -1 and errno.
int collect(int kq, queue& q, struct kevent* events, int size) noexcept {
    std::array<epoll_event, 256> found;
    // Each may be news of three filters.
    const int most = std::clamp(size / 3, 1, static_cast<int>(found.size()));
    const int count = ::epoll_wait(kq, found.data(), most, 0);
    if (count < 0) {
        errno = error_now();
        return -1;
    }
    const std::lock_guard lock(q.mutex);
    collector into{events, size, 0};
    for (int i = 0; i < count; ++i) {
        const epoll_event& e = found[static_cast<std::size_t>(i)];
        if (e.data.u64 == user_events)
            collect_users(kq, q, into);
        else
            collect_note(kq, q, e, into);
    }
    return into.count;
}

int wait_for(int kq, queue& q, struct kevent* events, int size, const timespec* timeout) noexcept {
    const nanoseconds end = timeout ? now() + timeout->tv_sec * 1'000'000'000 + timeout->tv_nsec : 0;
    for (;;) {
        const int count = collect(kq, q, events, size);
        if (count != 0 || (timeout && timeout->tv_sec == 0 && timeout->tv_nsec == 0))
            return count;
        const int come = wait_until(kq, timeout ? &end : nullptr);
        if (come <= 0)
            return come;
    }
}

}

int kqueue() {
    const int made = ::epoll_create1(0);
    if (made < 0)
        return -1;
    const bool has_room = static_cast<std::size_t>(made) < queues.size();
    if (const int error = has_room ? control(made, EPOLL_CTL_ADD, always_readable, EPOLLET, user_events) : EMFILE) {
        ::close(made);
        errno = error;
        return -1;
    }
    std::atomic<queue*>& place = queues[static_cast<std::size_t>(made)];
    if (!place) {
        void* const memory = std::malloc(sizeof(queue));
        if (!memory) {
            ::close(made);
            errno = ENOMEM;
            return -1;
        }
        place = ::new (memory) queue();
    }
    queue& q = *place;
    const std::lock_guard lock(q.mutex);
    for (std::size_t i = 0; i < q.size; ++i)
        q.notes[i] = note();
    for (user_event& u : q.users)
        u.is_added = false;
    q.process = ::getpid();
    return made;
}

int kevent(int kq, const struct kevent* changes, int change_count, struct kevent* events, int event_count, const timespec* timeout) {
    queue* const q = find(kq);
    if (!q) {
        errno = EBADF;
        return -1;
    }
    int told = 0;
    for (int i = 0; i < change_count; ++i) {
        const struct kevent change = changes[i];   // the lists may be one
        const int error = change.filter == EVFILT_USER ? change_user(kq, *q, change) : change_filter(kq, *q, change);
        if (error == 0 && (change.flags & EV_RECEIPT) == 0)
            continue;
        if (told < event_count) {
            events[told] = change;
            events[told].flags = EV_ERROR;
            events[told].data = error;
            ++told;
        } else if (error != 0) {
            errno = error;
            return -1;
        }
    }
    if (told > 0 || event_count == 0)
        return told;
    if (timeout && (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= 1'000'000'000)) {
        errno = EINVAL;
        return -1;
    }
    return wait_for(kq, *q, events, event_count, timeout);
}
