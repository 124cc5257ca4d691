// error: nothing happens until a beat is awaited
#include <corun/corun.hpp>

corun::task<> f() {
    corun::every(std::chrono::seconds(1));
    co_return;
}
