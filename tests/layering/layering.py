#!/usr/bin/env python3
"""layering.py [PROJECT] - who may include whom (docs/architecture.md, section 3), and traps that a text can show.

Prints a line for each finding and exits with 1 if there is any.
"""
import pathlib
import re
import sys

# Areas, the first match counts; what each may include, areas and kinds. Kinds: std, os, test (the framework), json, fmt, other.
AREAS = ["core/include/corun/detail/intrusive_list.hpp", "core/include/corun/detail", "core/include", "core/src", "backends/posix", "backends/reactor",
         "backends/", "adapters/thread", "adapters/poll", "adapters/", "examples/own_backend/", "examples/embed/", "examples", "bench", "tests/conformance/posix", "tests/conformance", "tests/unit", "tests/stories", "tests/hosts", "tests/adapters", "tests/differential", "tests/faults", "tests/support/kqueue", "tests/support/os_", "tests/support",
         "tests/package"]
PUBLIC = {"std", "core/include"}
CORE = PUBLIC | {"core/include/corun/detail", "core/include/corun/detail/intrusive_list.hpp"}
POSIX = PUBLIC | {"core/include/corun/detail/intrusive_list.hpp", "backends/posix", "os"}
MAY_INCLUDE = {
    "core/include": CORE,
    "core/src": CORE | {"core/src", "fmt"},
    "backends/posix": POSIX,
    "backends/reactor": POSIX | {"backends/reactor"},
    "backends/": POSIX | {"backends/reactor", "other"},   # and its own, but no other backend
    "adapters/thread": PUBLIC | {"adapters/thread"},
    "adapters/poll": PUBLIC | {"adapters/thread", "adapters/poll", "os"},
    "adapters/": PUBLIC | {"adapters/thread", "adapters/poll", "os", "other"},   # and its own, but of the others only what waits
    "examples/own_backend/": POSIX | {"backends/reactor", "examples/own_backend/"},
    "examples/embed/": PUBLIC | {"adapters/", "adapters/thread", "adapters/poll", "fmt", "os", "other"},
    "examples": PUBLIC | {"examples", "fmt"},
    "bench": PUBLIC | {"backends/", "adapters/", "adapters/thread", "adapters/poll", "bench", "os", "other"},
    "tests/conformance/posix": PUBLIC | {"tests/conformance", "tests/support", "tests/support/os_", "os"},
    "tests/conformance": PUBLIC | {"tests/conformance", "tests/support", "json"},
    "tests/unit": CORE | {"backends/posix", "backends/reactor", "backends/", "tests/support", "tests/support/os_", "tests/unit", "examples/own_backend/", "os", "other"},
    "tests/hosts": CORE | {"core/src", "adapters/", "adapters/thread", "adapters/poll", "backends/", "tests/hosts", "tests/support", "os", "other"},
    "tests/adapters": PUBLIC | {"adapters/", "adapters/thread", "adapters/poll", "tests/support", "os", "other"},
    "tests/stories": PUBLIC | {"backends/", "tests/stories", "tests/support"},
    "tests/faults": PUBLIC | {"tests/faults", "tests/support", "os"},
    "tests/differential": PUBLIC | {"backends/", "tests/differential", "tests/support", "other"},
    "tests/support/kqueue": {"std", "tests/support/kqueue", "os"},
    "tests/support/os_": CORE | {"tests/support", "os", "json"},
    "tests/support": CORE | {"tests/support", "test"},
    "tests/package": PUBLIC | {"adapters/", "adapters/poll", "backends/"},
}
SEARCHED = ["core/include", "backends/*/include", "examples/own_backend/*/include", "backends", "adapters/*/include", "tests", "bench"]
OS_CONDITION = re.compile(r"^\s*#\s*(?:el)?if.*\b(_WIN32|WIN32|__linux__|__APPLE__|__unix__|__FreeBSD__|CORUN_(?:BACKEND|HAS)\w*)")
COMPILER_HEADERS = {"intrin.h"}


def area_of(path):
    return next((a for a in AREAS if path.startswith(a)), None)


def piece_of(path):
    """The directory of one backend or adapter: backends/epoll."""
    return "/".join(path.split("/")[:2])


def kind_of(name):
    if re.fullmatch(r"[a-z_0-9]+", name) or name in COMPILER_HEADERS:
        return "std"
    first = name.split("/")[0]
    return {"fmt": "fmt", "catch2": "test", "nlohmann": "json"}.get(first, "os" if name.endswith(".h") and first not in ("uv.h", "benchmark", "glib.h") else "other")


def find(root, path, name):
    """The project's own file that an include names, or None."""
    places = [path.parent] + [p for pattern in SEARCHED for p in root.glob(pattern)]
    found = next((p / name for p in places if (p / name).is_file()), None)
    return found and found.resolve().relative_to(root).as_posix()


def check_includes(root, path, lines, say):
    here = path.relative_to(root).as_posix()
    area = area_of(here)
    allowed = MAY_INCLUDE[area if area in MAY_INCLUDE else "core/include"]
    for number, line in enumerate(lines, 1):
        if here.startswith("core/") and OS_CONDITION.match(line):
            say(number, "the core has no conditional of a system or a backend; the build picks files")
        include = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
        if not include:
            continue
        name = include.group(1)
        found = find(root, path, name)
        if not found and name.startswith("corun/"):
            continue   # generated
        what = area_of(found) if found else kind_of(name)
        if found and piece_of(found) == piece_of(here) and area in ("backends/", "adapters/"):
            continue   # its own
        if what not in allowed:
            say(number, f"{piece_of(here)} may not include {found or name}")


def without_comments_and_texts(text):
    """The same length and lines, but blank where a comment, a string or a character is."""
    pattern = r'//[^\n]*|/\*.*?\*/|R"\((?:.*?)\)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\''
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m.group()), re.sub(r"(?<=\d)'(?=\d)", "0", text), flags=re.S)


def check_traps(here, text, lines, say):
    """What GCC 12 compiles wrongly (docs/architecture.md, section 10), and what makes a test depend on the machine's speed."""
    code = without_comments_and_texts(text)
    line_of = lambda position: code.count("\n", 0, position) + 1
    for statement in re.finditer(r"[^;{}]+", code):
        question = statement.group().find("?")
        if question >= 0 and re.search(r"\bco_await\b", statement.group()):
            number = line_of(statement.start() + question)
            if "[scalar]" not in lines[number - 1]:
                say(number, "`?` beside a co_await: arms of class type are destroyed twice by GCC 12; if they are scalars, say so: // [scalar]")
    for macro in re.finditer(r"\b(?:CHECK|REQUIRE)\w*\s*\(", code):
        depth, end = 1, macro.end()
        while depth and end < len(code):
            depth += {"(": 1, ")": -1}.get(code[end], 0)
            end += 1
        if re.search(r"\bco_await\b", code[macro.end():end]):
            say(line_of(macro.start()), "co_await inside an assertion is started several times by GCC 12: name the value first")
    if here.startswith("tests/conformance"):
        for number, line in enumerate(code.splitlines(), 1):
            if re.search(r"\bthis_thread::sleep|\b(u|nano)sleep\s*\(", line) and "[rt]" not in lines[number - 1]:
                say(number, "a conformance test doesn't sleep for real; if it must, say so: // [rt]")


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2]).resolve()
    findings = []
    files = 0
    for path in sorted(p for top in ("core", "backends", "adapters", "examples", "bench", "tests") for p in (root / top).rglob("*.?pp*")):
        here = path.relative_to(root).as_posix()
        if not path.name.endswith((".hpp", ".cpp", ".cpp.in", ".hpp.in")) or area_of(here) is None:
            continue
        files += 1
        say = lambda number, what: findings.append(f"{here}:{number}: {what}")
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        check_includes(root, path, lines, say)
        check_traps(here, text, lines, say)
    print("\n".join(findings) or f"layering holds in {files} files")
    sys.exit(bool(findings) or files == 0)


if __name__ == "__main__":
    main()
