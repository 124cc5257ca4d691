// describe_place.cpp - see describe_place.hpp.
#include "inspect/describe_place.hpp"

#include <string_view>

namespace corun::detail {
namespace {

/// GCC calls a coroutine's body `void serve(serve(int)::_Z5servei.Frame*)`, and one inside another's likewise, each with the brackets of
/// its own: what stands before them is the function's name. Template arguments are of more lines than use.
std::string function_name(std::string name) {
    if (const auto arguments = name.find(" [with "); arguments != std::string::npos)
        name.resize(arguments);
    constexpr std::string_view frame = ".Frame*)";
    bool is_body = false;
    for (auto end = name.find(frame); end != std::string::npos; end = name.find(frame)) {
        std::size_t begin = end + frame.size();
        int depth = 0;
        do {
            --begin;
            depth += name[begin] == ')' ? 1 : name[begin] == '(' ? -1 : 0;
        } while (begin > 0 && depth > 0);
        name.erase(begin, end + frame.size() - begin);
        is_body = true;
    }
    if (is_body && name.starts_with("void "))
        name.erase(0, 5);
    return name;
}

}

frame_info frame_at(const std::source_location& where) { return {function_name(where.function_name()), where.file_name(), where.line()}; }

std::string text_of(const frame_info& f) { return f.function + " (" + f.file + ":" + std::to_string(f.line) + ")"; }

std::string describe_place(const std::source_location& where) { return text_of(frame_at(where)); }

}
