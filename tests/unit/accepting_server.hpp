// accepting_server.hpp - a listener, its clients, and what it accepted.
#pragma once

#include <corun/corun.hpp>
#include <support/connected_pair.hpp>

#include <system_error>
#include <utility>
#include <vector>

namespace testing {

struct accepting_server {
    corun::tcp_listener listener = corun::tcp_listener::bind(loopback());
    std::vector<corun::tcp_stream> clients;
    std::vector<corun::tcp_stream> served;

    corun::task<> connect_clients(int count) {
        for (int i = 0; i < count; ++i) {
            auto c = co_await corun::connect(listener.local_address());
            clients.push_back(std::move(c));
        }
    }
    corun::task<std::error_code> accept_one() {
        auto s = co_await corun::as_result(listener.accept());
        if (s)
            served.push_back(std::move(*s));
        co_return s.error();
    }
};

}
