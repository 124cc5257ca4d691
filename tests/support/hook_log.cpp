#include <corun/errors.hpp>
#include <support/hook_log.hpp>

namespace testing {

std::string text_of(const std::exception_ptr& error) {
    if (!error)
        return "none";
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& e) {
        return e.what();
    } catch (const corun::cancelled&) {
        return "cancelled";
    } catch (...) {
        return "unknown";
    }
}

std::string hook_log::joined() const {
    std::string text;
    for (const report& r : reports_)
        text += (text.empty() ? "" : ", ") + r.what;
    return text;
}

}
