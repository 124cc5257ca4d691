// socket_types.hpp - the addresses of sockets, which Windows has in headers of its own.
#pragma once

#if __has_include(<ws2tcpip.h>)
#include <winsock2.h>

#include <ws2tcpip.h>
#else
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#endif
