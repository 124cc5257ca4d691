// processor_share.hpp - how busy the whole machine is.
#pragma once

namespace testing::os {

/// What part of a processor a thread gets that is ready now: 1 unless more are ready than there are processors; also where that can't be
/// asked. Opens what it needs for good at the first call.
double share_of_processors() noexcept;

}
