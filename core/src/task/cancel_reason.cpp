// cancel_reason.cpp - who and where, as text.
#include <corun/cancel_reason.hpp>

namespace corun {

std::string_view to_string(cancel_origin origin) noexcept {
    switch (origin) {
    case cancel_origin::none: break;
    case cancel_origin::explicit_call: return "explicit";
    case cancel_origin::timeout: return "timeout";
    case cancel_origin::failed_group: return "failed group";
    case cancel_origin::lost_race: return "lost race";
    case cancel_origin::shut_down: return "shut down";
    case cancel_origin::interrupt: return "interrupt";
    case cancel_origin::host: return "host";
    }
    return "";
}

std::string to_string(const cancel_reason& reason) {
    std::string text(to_string(reason.origin));
    if (reason.file)
        text += std::string(" at ") + reason.file + ":" + std::to_string(reason.line);
    return text;
}

}
