// kqueue.cpp - the backend: a reactor on kqueue.
#include "../reactor/kqueue_poller.hpp"
#include "../reactor/reactor.hpp"

#include <corun/kqueue.hpp>

#include <memory>

namespace corun {

std::unique_ptr<backend> make_kqueue() { return std::make_unique<reactor>(std::make_unique<kqueue_poller>(), "kqueue"); }

}
