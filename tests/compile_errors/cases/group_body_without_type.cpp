// error: the body of with_task_group() takes a task_group& and returns a task<>
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

task<> wrong() {
    co_await with_task_group([](task_group&) {});
}
