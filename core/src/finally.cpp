// finally.cpp - two ends at once.
#include <corun/finally.hpp>

namespace corun::detail {

void throw_both(std::exception_ptr body, std::exception_ptr cleanup) {
    if (!body)
        std::rethrow_exception(cleanup);
    std::vector<std::exception_ptr> both;
    both.push_back(std::move(body));
    both.push_back(std::move(cleanup));
    throw exception_group("a body and its clean-up failed", std::move(both));
}

}
