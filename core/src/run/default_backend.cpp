// default_backend.cpp - for programs that link no default: they give each run a backend of their own.
#include <corun/default_backend.hpp>
#include <corun/errors.hpp>

#if defined(__GNUC__)
__attribute__((weak))
#endif
std::unique_ptr<corun::backend>
corun::make_default_backend() {
    detail::throw_usage(errc::no_default_backend, "this program links no default backend; link corun::corun, or give run() one: "
                                                  "run(run_options().with(make_epoll()), main)");
}
