// libuv_echo.cpp - D2: an echo server on libuv; a write that can't go out at once pauses the reading.
#include "echo.hpp"

#include <uv.h>

#include <cstdlib>

namespace {

struct session {
    uv_tcp_t tcp;
    uv_write_t rest;
    char buffer[bench::echo_buffer];

    uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&tcp); }
    uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&tcp); }
};

int connections = 0;

void check(int status) {
    if (status < 0) {
        std::fprintf(stderr, "echo_libuv: %s\n", uv_strerror(status));
        std::exit(1);
    }
}

void end(session& s) {
    uv_close(s.handle(), [](uv_handle_t* h) { delete static_cast<session*>(h->data); });
}

void give_buffer(uv_handle_t* h, std::size_t, uv_buf_t* buffer) {
    auto& s = *static_cast<session*>(h->data);
    *buffer = uv_buf_init(s.buffer, sizeof s.buffer);
}

void echo(uv_stream_t* stream, ssize_t count, const uv_buf_t*);

void write_rest(session& s, uv_buf_t rest) {
    uv_read_stop(s.stream());
    s.rest.data = &s;
    check(uv_write(&s.rest, s.stream(), &rest, 1, [](uv_write_t* written, int status) {
        auto& self = *static_cast<session*>(written->data);
        if (status < 0)
            end(self);
        else
            check(uv_read_start(self.stream(), give_buffer, echo));
    }));
}

void echo(uv_stream_t* stream, ssize_t count, const uv_buf_t*) {
    auto& s = *static_cast<session*>(stream->data);
    if (count < 0)
        return end(s);
    if (count == 0)
        return;
    uv_buf_t answer = uv_buf_init(s.buffer, unsigned(count));
    const int written = uv_try_write(stream, &answer, 1);
    if (written == count)
        return;
    if (written < 0 && written != UV_EAGAIN)
        return end(s);
    const unsigned sent = written < 0 ? 0 : unsigned(written);
    write_rest(s, uv_buf_init(s.buffer + sent, unsigned(count) - sent));
}

void accept(uv_stream_t* listener, int status) {
    check(status);
    auto* const s = new session;
    check(uv_tcp_init(listener->loop, &s->tcp));
    s->tcp.data = s;
    check(uv_accept(listener, s->stream()));
    check(uv_read_start(s->stream(), give_buffer, echo));
    if (--connections == 0)
        uv_close(reinterpret_cast<uv_handle_t*>(listener), nullptr);
}

unsigned port_of(const uv_tcp_t& listener) {
    sockaddr_in where{};
    int size = sizeof where;
    check(uv_tcp_getsockname(&listener, reinterpret_cast<sockaddr*>(&where), &size));
    return ntohs(where.sin_port);
}

}

int main(int argc, char** argv) {
    connections = bench::connections_to_serve(argc, argv);
    uv_loop_t* const loop = uv_default_loop();
    uv_tcp_t listener;
    sockaddr_in where{};
    check(uv_ip4_addr("127.0.0.1", 0, &where));
    check(uv_tcp_init(loop, &listener));
    check(uv_tcp_bind(&listener, reinterpret_cast<const sockaddr*>(&where), 0));
    check(uv_listen(reinterpret_cast<uv_stream_t*>(&listener), 128, accept));
    bench::announce(port_of(listener));
    uv_run(loop, UV_RUN_DEFAULT);
}
