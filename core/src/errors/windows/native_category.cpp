// native_category.cpp - the codes of Windows and of its sockets, and what they are called elsewhere. No header of the system is needed:
// the numbers are part of its interface.
#include <corun/native_category.hpp>

#include <algorithm>
#include <iterator>
#include <string>

namespace corun {
namespace {

struct row {
    std::int32_t native;
    std::errc portable;
};

/// Of several codes for one thing the first is that of native_code().
constexpr row rows[] = {
    // Sockets' own.
    {10004, std::errc::interrupted},
    {10009, std::errc::bad_file_descriptor},
    {10013, std::errc::permission_denied},
    {10014, std::errc::bad_address},
    {10022, std::errc::invalid_argument},
    {10024, std::errc::too_many_files_open},
    {10035, std::errc::operation_would_block},
    {10036, std::errc::operation_in_progress},
    {10037, std::errc::connection_already_in_progress},
    {10038, std::errc::not_a_socket},
    {10039, std::errc::destination_address_required},
    {10040, std::errc::message_size},
    {10041, std::errc::wrong_protocol_type},
    {10042, std::errc::no_protocol_option},
    {10043, std::errc::protocol_not_supported},
    {10045, std::errc::operation_not_supported},
    {10047, std::errc::address_family_not_supported},
    {10048, std::errc::address_in_use},
    {10049, std::errc::address_not_available},
    {10050, std::errc::network_down},
    {10051, std::errc::network_unreachable},
    {10052, std::errc::network_reset},
    {10053, std::errc::connection_aborted},
    {10054, std::errc::connection_reset},
    {10055, std::errc::no_buffer_space},
    {10056, std::errc::already_connected},
    {10057, std::errc::not_connected},
    {10058, std::errc::broken_pipe},
    {10060, std::errc::timed_out},
    {10061, std::errc::connection_refused},
    {10063, std::errc::filename_too_long},
    {10065, std::errc::host_unreachable},
    // The system's: what its sockets answer through a port.
    {995, std::errc::operation_canceled},
    {4, std::errc::too_many_files_open},
    {6, std::errc::bad_file_descriptor},
    {8, std::errc::not_enough_memory},
    {14, std::errc::not_enough_memory},
    {1117, std::errc::io_error},
    {31, std::errc::io_error},
    {50, std::errc::operation_not_supported},
    {64, std::errc::connection_reset},
    {109, std::errc::broken_pipe},
    {121, std::errc::timed_out},
    {170, std::errc::device_or_resource_busy},
    {232, std::errc::broken_pipe},
    {1225, std::errc::connection_refused},
    {1231, std::errc::network_unreachable},
    {1232, std::errc::host_unreachable},
    {1236, std::errc::connection_aborted},
    {1450, std::errc::no_buffer_space},
    {1455, std::errc::not_enough_memory},
    {1460, std::errc::timed_out},
};

class windows_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "system"; }
    std::string message(int code) const override { return std::system_category().message(code); }
    std::error_condition default_error_condition(int code) const noexcept override {
        const auto* const found = std::find_if(std::begin(rows), std::end(rows), [=](const row& r) { return r.native == code; });
        return found != std::end(rows) ? std::make_error_condition(found->portable) : std::system_category().default_error_condition(code);
    }
};

}

const std::error_category& native_category() noexcept {
    static const windows_category one;
    return one;
}

std::int32_t detail::native_code(std::errc e) noexcept {
    const auto* const found = std::find_if(std::begin(rows), std::end(rows), [=](const row& r) { return r.portable == e; });
    return found != std::end(rows) ? found->native : 31;   // "a device attached to the system is not functioning": its general failure
}

}
