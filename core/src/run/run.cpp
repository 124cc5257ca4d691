// run.cpp - how a program ends whose main threw.
#include <corun/errors.hpp>
#include <corun/exception_group.hpp>
#include <corun/run.hpp>

#include <cstdio>
#include <exception>

namespace corun {

int detail::exit_code_of(std::exception_ptr left) noexcept {
    try {
        std::rethrow_exception(left);
    } catch (const interrupted& i) {
        return 128 + i.signal();
    } catch (...) {
        try {
            std::fprintf(stderr, "corun: main ended with an exception: %s\n", describe(left).c_str());
        } catch (...) {
            std::fputs("corun: main ended with an exception, and no memory to print it\n", stderr);
        }
        return 1;
    }
}

}
