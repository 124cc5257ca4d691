// expected_backend.hpp - the backend that this program was linked for, as the build says.
#pragma once

#include <string_view>

namespace testing {

std::string_view expected_backend();

}
