// names.cpp - see names.hpp.
#include "names.hpp"

#include <corun/errors.hpp>
#include <corun/exception_group.hpp>
#include <corun/stream.hpp>

namespace differential {

std::string name_of(const std::error_code& e) {
    struct named {
        std::errc error;
        const char* name;
    };
    static constexpr named all[] = {
        {std::errc::connection_refused, "connection_refused"},
        {std::errc::connection_reset, "connection_reset"},
        {std::errc::broken_pipe, "broken_pipe"},
        {std::errc::operation_canceled, "operation_canceled"},
        {std::errc::bad_file_descriptor, "bad_file_descriptor"},
        {std::errc::not_connected, "not_connected"},
        {std::errc::address_in_use, "address_in_use"},
        {std::errc::timed_out, "the network's timed_out"},
        {std::errc::too_many_files_open, "too_many_files_open"},
        {std::errc::no_buffer_space, "no_buffer_space"},
        {std::errc::not_enough_memory, "not_enough_memory"},
    };
    if (!e)
        return "ok";
    for (const named& one : all)
        if (e == one.error)
            return one.name;
    return std::string(e.category().name()) + " " + std::to_string(e.value()) + " (" + e.message() + ")";
}

std::string name_of(const std::exception_ptr& e) {
    if (!e)
        return "ok";
    try {
        std::rethrow_exception(e);
    } catch (const corun::cancelled&) {
        return "cancelled";
    } catch (const corun::task_cancelled&) {
        return "cancelled";
    } catch (const corun::timed_out&) {
        return "timed_out";
    } catch (const thrown& t) {
        return "E" + std::to_string(t.number);
    } catch (const corun::end_of_stream& end) {
        return "the end after " + std::to_string(end.received()) + " of " + std::to_string(end.expected());
    } catch (const corun::usage_error& misuse) {
        return std::string(corun::to_string(misuse.code()));
    } catch (const std::system_error& error) {
        return name_of(error.code());
    } catch (const corun::exception_group& group) {
        std::string names;
        for (const std::exception_ptr& one : group.exceptions())
            names += (names.empty() ? "" : " ") + name_of(one);
        return "group[" + names + "]";
    } catch (const std::exception& other) {
        return std::string("unexpected: ") + other.what();
    } catch (...) {
        return "unexpected: something else";
    }
}

}
