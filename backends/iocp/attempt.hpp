// attempt.hpp - tries an operation once, without waiting, and hands one to the system that will answer through the port.
#pragma once

#include "record.hpp"

#include <corun/operation.hpp>

namespace corun::iocp {

enum class attempted : unsigned char {
    finished,      ///< the answer is in the operation
    would_block,   ///< nothing happened
};

/// One try of a read, write, poll or shutdown.
attempted attempt(SOCKET, operation&) noexcept;

/// One try of an accept; the connection is `taken`.
attempted attempt_accept(SOCKET listener, operation&, SOCKET& taken) noexcept;

/// Begins a read, an accept or a connect; 0 if it has succeeded at once, WSA_IO_PENDING, or the error.
int begin(record&, slot&) noexcept;

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
