// hosted_run.cpp - in the place of core/src/drive.cpp: every run() of this program is a guest of the host that the environment names.
#include <hosts/hosts.hpp>

#include <corun/detail/inbox.hpp>
#include <corun/detail/loop_core.hpp>
#include <corun/guest.hpp>
#include <support/virtual_time.hpp>

#include <run/drive.hpp>

namespace corun::detail {

class hosted_run {
public:
    explicit hosted_run(run_course& course) : guest_(course) {}

    void operator()() {
        if (auto* const clock = dynamic_cast<testing::virtual_time_backend*>(core_of(guest_.get_loop()).backend)) {
            run_in_virtual_time(*clock);
            return;
        }
        const auto host = testing::make_test_host();
        host->attach(guest_, {});
        host->run_until([this] { return guest_.is_finished() || guest_.is_in_child(); });
        host->detach();
    }

private:
    /// A host whose clock jumps instead of sleeping.
    void run_in_virtual_time(testing::virtual_time_backend& clock) {
        while (!guest_.is_finished()) {
            if (!guest_.prepare()) {
                if (const auto deadline = guest_.next_deadline())
                    clock.jump_to(*deadline);
                else
                    guest_.block(no_deadline);
            }
            guest_.dispatch();
        }
    }

    guest guest_;
};

void drive(run_course& course) noexcept {
    hosted_run run(course);
    run();
}

}
