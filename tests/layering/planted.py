#!/usr/bin/env python3
"""planted.py - layering.py finds what is planted: each line below, alone in a small tree, is a finding or is none."""
import pathlib
import subprocess
import sys
import tempfile

CHECK = pathlib.Path(__file__).with_name("layering.py")
TREE = ["core/include/corun/task.hpp", "core/include/corun/detail/promise.hpp", "core/include/corun/detail/intrusive_list.hpp", "core/src/run/shut_down.hpp",
        "backends/common/clock.hpp", "backends/posix/fd.hpp", "backends/reactor/reactor.hpp", "backends/epoll/include/corun/epoll.hpp", "backends/epoll/sys_epoll.hpp",
        "backends/kqueue/include/corun/kqueue.hpp", "examples/own_backend/poll/include/corun/poll.hpp", "tests/support/catch.hpp"]

# Where, what, and a word of the finding; none: allowed.
PLANTED = [
    ("core/src/loop/loop.cpp", "#include <vector>", None),
    ("core/src/loop/loop.cpp", '#include "run/shut_down.hpp"', None),
    ("core/src/loop/loop.cpp", "#include <fmt/core.h>", "fmt"),
    ("core/src/loop/loop.cpp", "#include <unistd.h>", "unistd.h"),
    ("core/src/loop/loop.cpp", "#include <corun/epoll.hpp>", "epoll.hpp"),
    ("core/src/loop/loop.cpp", '#include "../../../backends/posix/fd.hpp"', "fd.hpp"),
    ("core/src/loop/loop.cpp", "#if defined(__linux__)", "conditional"),
    ("core/src/loop/loop.cpp", "#ifdef CORUN_BACKEND_EPOLL", "conditional"),
    ("core/include/corun/loop.hpp", "#include <corun/detail/promise.hpp>", None),
    ("core/include/corun/loop.hpp", "#include <fmt/core.h>", "fmt"),
    ("core/include/corun/detail/entry.hpp", "#include <sys/types.h>", "sys/types.h"),
    ("backends/common/a.cpp", '#include "../posix/fd.hpp"', "fd.hpp"),
    ("backends/common/a.cpp", "#include <winsock2.h>", None),
    ("backends/posix/a.cpp", '#include "../common/clock.hpp"', None),
    ("backends/posix/a.cpp", "#include <sys/socket.h>", None),
    ("backends/posix/a.cpp", "#include <corun/detail/intrusive_list.hpp>", None),
    ("backends/posix/a.cpp", "#include <corun/detail/promise.hpp>", "promise.hpp"),
    ("backends/posix/a.cpp", '#include "../reactor/reactor.hpp"', "reactor.hpp"),
    ("backends/reactor/a.cpp", '#include "../epoll/sys_epoll.hpp"', "sys_epoll.hpp"),
    ("backends/epoll/a.cpp", '#include "sys_epoll.hpp"', None),
    ("backends/epoll/a.cpp", "#include <corun/epoll.hpp>", None),
    ("backends/epoll/a.cpp", '#include "../reactor/reactor.hpp"', None),
    ("backends/kqueue/a.cpp", '#include "../epoll/sys_epoll.hpp"', "sys_epoll.hpp"),
    ("backends/kqueue/a.cpp", "#include <corun/epoll.hpp>", "epoll.hpp"),
    ("backends/libuv/a.cpp", "#include <uv.h>", None),
    ("backends/posix/a.cpp", "#include <uv.h>", "uv.h"),
    ("examples/a.cpp", "#include <corun/task.hpp>", None),
    ("examples/a.cpp", "#include <corun/detail/promise.hpp>", "promise.hpp"),
    ("examples/a.cpp", "#include <unistd.h>", "unistd.h"),
    ("examples/a.cpp", "#include <corun/poll.hpp>", "poll.hpp"),
    ("examples/own_backend/poll/a.cpp", "#include <corun/poll.hpp>", None),
    ("examples/own_backend/poll/a.cpp", "#include <reactor/reactor.hpp>", None),
    ("examples/own_backend/poll/a.cpp", "#include <poll.h>", None),
    ("examples/own_backend/poll/a.cpp", "#include <corun/detail/promise.hpp>", "promise.hpp"),
    ("examples/own_backend/poll/a.cpp", "#include <corun/epoll.hpp>", "epoll.hpp"),
    ("bench/peers/a.cpp", "#include <asio.hpp>", None),
    ("bench/a.cpp", "#include <corun/detail/promise.hpp>", "promise.hpp"),
    ("tests/conformance/a.cpp", "#include <support/catch.hpp>", None),
    ("tests/conformance/a.cpp", "#include <corun/detail/promise.hpp>", "promise.hpp"),
    ("tests/conformance/a.cpp", "#include <corun/epoll.hpp>", "epoll.hpp"),
    ("tests/conformance/a.cpp", "#include <signal.h>", "signal.h"),
    ("tests/conformance/a.cpp", "std::this_thread::sleep_for(1ms);", "sleep"),
    ("tests/conformance/a.cpp", "std::this_thread::sleep_for(1ms);   // [rt]", None),
    ("tests/conformance/a.cpp", "// std::this_thread::sleep_for(1ms);", None),
    ("tests/support/os_linux.cpp", "#include <unistd.h>", None),
    ("tests/support/kqueue/a.cpp", "#include <unistd.h>", None),
    ("tests/support/kqueue/a.cpp", "#include <corun/task.hpp>", "task.hpp"),
    ("tests/support/a.cpp", "#include <unistd.h>", "unistd.h"),
    ("tests/unit/a.cpp", '#include <corun/detail/promise.hpp>', None),
    ("tests/unit/a.cpp", "CHECK(co_await f() == 1);", "assertion"),
    ("tests/unit/a.cpp", "REQUIRE_THROWS_AS(\n    co_await f(), int);", "assertion"),
    ("tests/unit/a.cpp", "const auto n = co_await f(); CHECK(n == 1);", None),
    ("tests/unit/a.cpp", 'CHECK("co_await" == text);', None),
    ("examples/a.cpp", "co_await (ok ? f()\n    : g());", "?"),
    ("examples/a.cpp", "const int n = ok ? co_await f() : 2;   // [scalar]", None),
    ("examples/a.cpp", "const int n = ok ? 1 : 2; co_await f(n); // why?", None),
    ("examples/a.cpp", 'co_await say("how are you?");', None),
]

wrong = 0
for where, what, expected in PLANTED:
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name in [*TREE, where]:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(what + "\n" if name == where else "#pragma once\n", encoding="utf-8")
        done = subprocess.run([sys.executable, str(CHECK), folder], capture_output=True, text=True, check=False)
    right = done.returncode == 0 if expected is None else done.returncode == 1 and done.stdout.startswith(where + ":") and expected in done.stdout
    if not right:
        wrong += 1
        print(f"{where}: {what}\n    expected: {expected or 'nothing'}\n    found: {(done.stdout + done.stderr).strip()}")


def judged(files, *options):
    """layering.py's answer about a tree of these texts."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            (pathlib.Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            (pathlib.Path(folder) / name).write_text(text, encoding="utf-8")
        return subprocess.run([sys.executable, str(CHECK), *options, folder], capture_output=True, text=True, check=False)


def ring(*names):
    """Modules of these names, each of which needs the next; the last one's .cpp closes the ring."""
    files = {f"core/include/corun/{name}.hpp": f"#include <corun/{after}.hpp>\n" for name, after in zip(names, names[1:])}
    return files | {f"core/include/corun/{names[-1]}.hpp": "", f"core/src/a/{names[-1]}.cpp": f"#include <corun/{names[0]}.hpp>\n"}


def line_of_ring(*names):
    return {k: v for k, v in ring(*names).items() if k.endswith(".hpp")}


sys.path.insert(0, str(CHECK.parent))
from layering import CYCLES   # noqa: E402

CLASS = "namespace corun {\nclass a {\n    void f();\n    void g() { if (true) { f(); } }\n    bool operator==(const a&) const;\n};\nvoid h(int) noexcept;\n}\n"
# A .cpp beside a.hpp, and how many of its definitions are away from home.
DEFINITIONS = [
    ("core/src/x/a.cpp", "namespace corun {\nvoid a::f() { g(); }\nvoid h(int i) noexcept { for (; i > 0;) { --i; } }\n}\n", 0),
    ("core/src/x/b.cpp", "namespace corun {\nvoid a::f() { g(); }\nvoid h(int i) noexcept { for (; i > 0;) { --i; } }\n}\n", 2),
    ("core/src/x/b.cpp", "bool corun::a::operator==(const a&) const { return true; }\n", 1),
    ("core/src/x/b.cpp", "namespace corun {\nnamespace {\nvoid h(int) {}\n}\nvoid k() { h(1); }\n}\n", 0),
]
cycles = [(ring("a", "b"), 1), (line_of_ring("a", "b"), 0), *((ring(*c), 0) for c in CYCLES), *((ring("a", *c), 1) for c in CYCLES)]
for files, expected in cycles:
    done = judged(files)
    if done.returncode != expected or bool(expected) != ("a cycle of" in done.stdout):
        wrong += 1
        print(f"{len(files)} files, expected {expected}: {(done.stdout + done.stderr).strip()}")
for where, text, expected in DEFINITIONS:
    done = judged({"core/include/corun/a.hpp": CLASS, where: text}, "--modules")
    if f"{expected} definitions away from home" not in done.stdout or judged({"core/include/corun/a.hpp": CLASS, where: text}).returncode != bool(expected):
        wrong += 1
        print(f"{where}: {text}    expected: {expected} away from home\n    found: {(done.stdout + done.stderr).strip()}")
print(f"{len(PLANTED) + len(cycles) + len(DEFINITIONS)} planted, {wrong} judged wrongly")
sys.exit(wrong > 0)
