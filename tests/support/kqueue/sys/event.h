// sys/event.h - kqueue for Linux, as far as the tests of the kqueue backend need it: see ../kqueue.cpp for what is real about it.
#pragma once
#pragma GCC system_header   // as the real one: its function hides its struct

#include <cstdint>

#include <time.h>

#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)
#define EVFILT_USER (-10)
#define EVFILT_EXCEPT (-15)

#define EV_ADD 0x0001
#define EV_DELETE 0x0002
#define EV_ENABLE 0x0004
#define EV_DISABLE 0x0008
#define EV_ONESHOT 0x0010
#define EV_CLEAR 0x0020
#define EV_RECEIPT 0x0040
#define EV_DISPATCH 0x0080
#define EV_ERROR 0x4000
#define EV_EOF 0x8000

#define NOTE_TRIGGER 0x01000000u
#define NOTE_OOB 0x00000002u

struct kevent {
    std::uintptr_t ident;
    std::int16_t filter;
    std::uint16_t flags;
    std::uint32_t fflags;
    std::intptr_t data;
    void* udata;
};

extern "C" {
int kqueue();
int kevent(int kqueue, const struct kevent* changes, int change_count, struct kevent* events, int event_count, const timespec* timeout);
}
