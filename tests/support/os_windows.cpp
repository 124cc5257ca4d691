// os_windows.cpp - handles, threads and child processes of Windows.
//
// There is no fork: a child is this program once more, with the same case, which goes as far as the call that wanted the child. Calls
// before that one get the answers that they had here.
#include <nlohmann/json.hpp>
#include <support/case_watch.hpp>
#include <support/child_code.hpp>
#include <support/os.hpp>
#include <support/processor_share.hpp>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <iostream>
#include <stdexcept>
#include <string>

#include <winsock2.h>

#include <malloc.h>
#include <psapi.h>
#include <tlhelp32.h>
#include <windows.h>
#include <winternl.h>

namespace testing::os {
namespace {

constexpr const char* child_variable = "CORUN_TEST_CHILD";   // { "call": n, "ends": [...] }
constexpr DWORD ended_by_console = 0xC000013A;               // STATUS_CONTROL_C_EXIT
constexpr DWORD ended_by_abort = 3;                          // the C library's
constexpr DWORD ended_by_signal = 0x20000000;                // raise_signal()'s, and the signal's number

std::atomic<DWORD> watchdog_thread = 0;

/// The type of a handle, "" if there is none of that value.
std::string type_of(HANDLE h) {
    alignas(PUBLIC_OBJECT_TYPE_INFORMATION) char room[512];
    ULONG size = 0;
    if (NtQueryObject(h, ObjectTypeInformation, room, sizeof room, &size) < 0)
        return "";
    const UNICODE_STRING& name = reinterpret_cast<const PUBLIC_OBJECT_TYPE_INFORMATION*>(room)->TypeName;
    std::string text;
    for (std::size_t i = 0; i < name.Length / sizeof(wchar_t); ++i)
        text.push_back(static_cast<char>(name.Buffer[i]));
    return text;
}

bool is_socket(HANDLE h) {
    int type = 0;
    int size = sizeof type;
    return getsockopt(reinterpret_cast<SOCKET>(h), SOL_SOCKET, SO_TYPE, reinterpret_cast<char*>(&type), &size) == 0;
}

struct case_calls {
    std::string name;
    int count = 0;
    nlohmann::json ends = nlohmann::json::array();
};

/// The calls of run_in_child() in the case that runs.
case_calls& calls_of_case() {
    static case_calls calls;
    if (calls.name != current_case())
        calls = case_calls{current_case(), 0, nlohmann::json::array()};
    return calls;
}

child_end from_json(const nlohmann::json& j) {
    child_end end;
    if (j.contains("code"))
        end.code = j["code"].get<int>();
    if (j.contains("signal"))
        end.signal = j["signal"].get<int>();
    end.output = j["output"].get<std::string>();
    return end;
}

nlohmann::json to_json(const child_end& end) {
    nlohmann::json j{{"output", end.output}};
    if (end.code)
        j["code"] = *end.code;
    if (end.signal)
        j["signal"] = *end.signal;
    return j;
}

[[noreturn]] void be_child(const std::function<int()>& f) noexcept {
    TerminateProcess(GetCurrentProcess(), static_cast<UINT>(child_code(f)));
    std::abort();
}

/// The case's name as an argument that names no other case, in quotes.
std::string quoted_case() {
    std::string text = "\"";
    for (const char c : current_case()) {
        if (std::string("[],\"\\").find(c) != std::string::npos)
            text += '\\';
        if (c == '"' || c == '\\')
            text += '\\';
        text += c;
    }
    return text + '"';
}

std::string read_all(HANDLE pipe) {
    std::string text;
    char piece[4096];
    for (DWORD n = 0; ReadFile(pipe, piece, sizeof piece, &n, nullptr) && n > 0;)
        text.append(piece, n);
    return text;
}

child_end end_of(DWORD code) {
    child_end end;
    if (code == ended_by_console)
        end.signal = SIGINT;
    else if (code == ended_by_abort)
        end.signal = SIGABRT;
    else if (code > ended_by_signal && code < ended_by_signal + NSIG)
        end.signal = static_cast<int>(code - ended_by_signal);
    else
        end.code = static_cast<int>(code);
    return end;
}

/// A child's first lines are the framework's, about the case that it repeats.
constexpr const char* beginning = "child begins\n";

void must(bool done, const char* call) {
    if (!done)
        throw std::runtime_error(std::string(call) + " failed: " + std::to_string(GetLastError()));
}

}

std::optional<std::vector<std::string>> open_descriptors() {
    std::vector<std::string> found;
    DWORD count = 0;
    if (!GetProcessHandleCount(GetCurrentProcess(), &count))
        return std::nullopt;
    for (std::uintptr_t number = 4; count > 0 && number < 0x40000; number += 4) {
        const HANDLE h = reinterpret_cast<HANDLE>(number);
        const std::string type = type_of(h);
        if (type.empty())
            continue;
        --count;
        if (type == "File" && is_socket(h))
            found.push_back(std::to_string(number) + " -> socket");
        else if (type == "File" || type == "IoCompletion")
            found.push_back(std::to_string(number) + " -> " + type);
    }
    return found;
}

std::optional<std::vector<std::string>> threads() {
    const HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
    if (all == INVALID_HANDLE_VALUE)
        return std::nullopt;
    std::vector<std::string> found;
    THREADENTRY32 entry{};
    entry.dwSize = sizeof entry;
    for (BOOL more = Thread32First(all, &entry); more; more = Thread32Next(all, &entry)) {
        if (entry.th32OwnerProcessID == GetCurrentProcessId() && entry.th32ThreadID != watchdog_thread)
            found.push_back(std::to_string(entry.th32ThreadID) + " thread");
    }
    CloseHandle(all);
    return found;
}

std::optional<std::size_t> resident_bytes() {
    PROCESS_MEMORY_COUNTERS counters{};
    if (!K32GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof counters))
        return std::nullopt;
    return counters.WorkingSetSize;
}

std::optional<std::chrono::nanoseconds> cpu_time() {
    FILETIME began, ended, kernel, user;
    if (!GetThreadTimes(GetCurrentThread(), &began, &ended, &kernel, &user))
        return std::nullopt;
    const auto ticks = [](const FILETIME& t) { return (static_cast<std::uint64_t>(t.dwHighDateTime) << 32) | t.dwLowDateTime; };
    return std::chrono::nanoseconds(100 * (ticks(kernel) + ticks(user)));
}

std::chrono::nanoseconds cpu_time_step() noexcept { return std::chrono::milliseconds(16); }   // ticks are counted

double share_of_processors() noexcept { return 1; }

std::chrono::milliseconds lateness() noexcept {
    const bool is_wine = GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") != nullptr;   // each call asks another process
    return std::chrono::milliseconds(32) * (is_wine ? 5 : 1);                                             // two ticks of the system's clock
}

std::size_t allocation_size(void* block) noexcept { return _msize(block); }

void be_watchdog_thread() { watchdog_thread = GetCurrentThreadId(); }

void note_main_thread() {}

bool interrupt_main_thread(void (*)()) { return false; }

environment_variable::environment_variable(const char* name, const char* value) : name_(name) {
    if (const char* const text = std::getenv(name))
        before_ = text;
    _putenv_s(name, value);
}

environment_variable::~environment_variable() { _putenv_s(name_.c_str(), before_ ? before_->c_str() : ""); }

child_end run_in_child(const std::function<int()>& f) {
    case_calls& calls = calls_of_case();
    const int call = calls.count++;
    if (const char* const text = std::getenv(child_variable)) {
        const auto told = nlohmann::json::parse(text);
        if (call < told["call"].get<int>())
            return from_json(told["ends"][static_cast<std::size_t>(call)]);
        std::fflush(nullptr);
        say(beginning);
        be_child(f);
    }
    std::cout.flush();
    std::fflush(nullptr);

    SECURITY_ATTRIBUTES inherited{sizeof inherited, nullptr, TRUE};
    HANDLE from_child = nullptr;
    HANDLE to_parent = nullptr;
    must(CreatePipe(&from_child, &to_parent, &inherited, 0), "CreatePipe");
    must(SetHandleInformation(from_child, HANDLE_FLAG_INHERIT, 0), "SetHandleInformation");

    char program[MAX_PATH];
    must(GetModuleFileNameA(nullptr, program, sizeof program) > 0, "GetModuleFileName");
    std::string line = std::string("\"") + program + "\" " + quoted_case();
    STARTUPINFOA start{};
    start.cb = sizeof start;
    start.dwFlags = STARTF_USESTDHANDLES;
    start.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    start.hStdOutput = start.hStdError = to_parent;
    PROCESS_INFORMATION child{};
    BOOL created = FALSE;
    {
        const environment_variable told(child_variable, nlohmann::json{{"call", call}, {"ends", calls.ends}}.dump().c_str());
        created = CreateProcessA(program, line.data(), nullptr, nullptr, TRUE, 0, nullptr, nullptr, &start, &child);
    }
    CloseHandle(to_parent);
    must(created, "CreateProcess");

    std::string output = read_all(from_child);
    CloseHandle(from_child);
    WaitForSingleObject(child.hProcess, INFINITE);
    DWORD code = 0;
    GetExitCodeProcess(child.hProcess, &code);
    CloseHandle(child.hThread);
    CloseHandle(child.hProcess);

    child_end end = end_of(code);
    const std::size_t begins = output.find(beginning);
    if (begins == std::string::npos)
        throw std::runtime_error("the child did not come as far as the call that wanted it:\n" + output);
    end.output = output.substr(begins + std::string(beginning).size());
    calls.ends.push_back(to_json(end));
    return end;
}

void raise_signal(int signal) {
    const auto found = std::signal(signal, SIG_IGN);
    std::signal(signal, found);
    if (found == SIG_DFL)   // of the default action the code would not tell whose it was
        TerminateProcess(GetCurrentProcess(), ended_by_signal + static_cast<UINT>(signal));
    std::raise(signal);
}

bool use_one_processor() { return SetProcessAffinityMask(GetCurrentProcess(), 1) != 0; }

void say(const std::string& text) {
    DWORD written = 0;
    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), text.data(), static_cast<DWORD>(text.size()), &written, nullptr);
}

}
