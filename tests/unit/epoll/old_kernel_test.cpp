// old_kernel_test.cpp - kernels and filters without epoll_pwait2: waits are in whole milliseconds.
#include <unit/refuse_call.hpp>
#include <unit/seam.hpp>

#include <support/os.hpp>

#include <cerrno>
#include <chrono>
#include <string>

#include <reactor/sys_epoll.hpp>

using namespace seam;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("RES-44 where epoll_pwait2 is missing or forbidden, a wait still ends at its deadline, not before and without a spin") {
    for (const int error : {ENOSYS, EPERM}) {
        const auto child = os::run_in_child([error] {
            refuse_call(SYS_epoll_pwait2, static_cast<unsigned>(error));
            const auto b = make_epoll();
            operation_list finished;
            for (const duration length : {duration(300us), duration(1ms), duration(1500us), duration(2999us)}) {
                const time_point deadline = b->now() + length;
                if (b->wait(deadline, finished) != waited::nothing || b->now() < deadline)
                    return 1;
            }
            b->wake();
            return b->wait(b->now() + 5s, finished) == waited::news ? 0 : 2;
        });
        CHECK(child.code == 0);
        CHECK(child.output.empty());
    }
}
