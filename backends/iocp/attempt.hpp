// attempt.hpp - tries an operation once, without waiting, and hands one to the system that will answer through the port.
#pragma once

#include "record.hpp"

#include <corun/operation.hpp>

namespace corun::iocp {

enum class attempted : unsigned char {
    finished,      ///< the answer is in the operation; of an accept, the socket is in `native`
    would_block,   ///< nothing happened
};

// One try each.
attempted read(SOCKET, operation&) noexcept;
attempted write(SOCKET, operation&) noexcept;
attempted accept(SOCKET listener, operation&) noexcept;
attempted poll(SOCKET, operation&) noexcept;
attempted shutdown(SOCKET, operation&) noexcept;

// Begin an operation: 0 if it has succeeded at once, WSA_IO_PENDING, or the error.
int begin_read(record&, slot&) noexcept;
int begin_accept(record&, slot&) noexcept;
int begin_connect(record&, slot&) noexcept;

/// What becomes of an accepted or connected socket: it knows its peer from now on.
void update_accepted(SOCKET accepted, SOCKET listener) noexcept;
void update_connected(SOCKET) noexcept;

/// The peer of a connection that an accept with `extra` took.
void write_peer(const extra&, operation&) noexcept;

/// A connection's end has one name: codes of a transfer as they are told.
int transfer_error(int code) noexcept;

/// True for an error with which the connection itself has ended.
bool ends_connection(int code) noexcept;

/// True for an accept's error that is one of a connection that went before it was taken; the listener is well.
bool is_of_the_connection(int code) noexcept;

}
