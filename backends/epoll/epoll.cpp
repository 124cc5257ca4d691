// epoll.cpp - the backend: a reactor on epoll.
#include "../reactor/epoll_poller.hpp"
#include "../reactor/reactor.hpp"

#include <corun/epoll.hpp>

#include <memory>

namespace corun {

std::unique_ptr<backend> make_epoll() { return std::make_unique<reactor>(std::make_unique<epoll_poller>(), "epoll"); }

}
