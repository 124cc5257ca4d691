#!/usr/bin/env python3
"""outlives.py SERVER - an echo server goes on when a client resets and when there are no descriptors left; SIGTERM ends it in order."""
import resource
import signal
import socket
import struct
import subprocess
import sys


def few_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))


def connect(where):
    return socket.create_connection(where, timeout=20)


def check_echo(client, what):
    client.sendall(what)
    echoed = b""
    while len(echoed) < len(what):
        piece = client.recv(100)
        assert piece, "the server closed a connection of which nothing was wrong"
        echoed += piece
    assert echoed == what


def half_close(client):
    try:
        client.shutdown(socket.SHUT_WR)
    except OSError:
        pass   # one that the server has turned away


def wait_for_end(client):
    try:
        while client.recv(100):
            pass
    except ConnectionResetError:
        pass
    client.close()


server = subprocess.Popen([sys.argv[1]], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=few_descriptors)
try:
    host, port = server.stdout.readline().removeprefix("listening on ").strip().rsplit(":", 1)
    where = host, int(port)
    first = connect(where)
    check_echo(first, b"first")

    resetting = connect(where)
    check_echo(resetting, b"x")
    resetting.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    resetting.close()
    check_echo(first, b"after a reset")

    crowd = [connect(where) for _ in range(40)]   # the system accepts them, the server can't take all
    crowd[0].sendall(b"y")
    check_echo(first, b"in a crowd")
    for client in crowd:
        half_close(client)
    for client in crowd:
        wait_for_end(client)   # the server has its descriptor back
    check_echo(connect(where), b"after the crowd")

    server.send_signal(signal.SIGTERM)
    out, err = server.communicate(timeout=20)
    assert server.returncode == 128 + signal.SIGTERM, (server.returncode, err)
    assert "all closed" in out, out
    assert "a client left: " in err and "no client: " in err, err
finally:
    server.kill()
print("the server outlived them")
