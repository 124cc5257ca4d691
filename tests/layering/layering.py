#!/usr/bin/env python3
"""layering.py [PROJECT] - who may include whom (docs/architecture.md, section 3), and traps that a text can show.

Prints a line for each finding and exits with 1 if there is any. `layering.py --modules [PROJECT]` prints instead the cycles of modules, with
the includes that close them, and the definitions that are not in the file of their declaration's name.
"""
import pathlib
import re
import sys

# Areas, the first match counts; what each may include, areas and kinds. Kinds: std, os, test (the framework), json, fmt, other.
AREAS = ["core/include/corun/detail/intrusive_list.hpp", "core/include/corun/detail", "core/include", "core/src", "backends/common", "backends/posix", "backends/reactor",
         "backends/asio/context_waits.hpp", "backends/", "adapters/common", "adapters/", "examples/own_backend/", "examples/embed/", "examples", "bench", "tests/conformance/posix", "tests/conformance", "tests/unit", "tests/stories", "tests/hosts", "tests/adapters", "tests/differential", "tests/faults", "tests/added_kind", "tests/support/kqueue", "tests/support/os_", "tests/support",
         "tests/package"]
PUBLIC = {"std", "core/include"}
CORE = PUBLIC | {"core/include/corun/detail", "core/include/corun/detail/intrusive_list.hpp"}
SHARED = PUBLIC | {"core/include/corun/detail/intrusive_list.hpp", "backends/common", "os"}
POSIX = SHARED | {"backends/posix"}
MAY_INCLUDE = {
    "core/include": CORE,
    "core/src": CORE | {"core/src"},
    "backends/common": SHARED,
    "backends/posix": POSIX,
    "backends/reactor": POSIX | {"backends/reactor"},
    "backends/": POSIX | {"backends/reactor", "other"},   # and its own, but no other backend
    "adapters/common": PUBLIC | {"adapters/common", "os"},
    "backends/asio/context_waits.hpp": {"std", "other"},
    "adapters/": PUBLIC | {"adapters/common", "backends/asio/context_waits.hpp", "os", "other"},   # and its own
    "examples/own_backend/": POSIX | {"backends/reactor", "examples/own_backend/"},
    "examples/embed/": PUBLIC | {"adapters/", "adapters/common", "fmt", "os", "other"},
    "examples": PUBLIC | {"examples", "fmt"},
    "bench": PUBLIC | {"backends/", "adapters/", "adapters/common", "bench", "os", "other"},
    "tests/conformance/posix": PUBLIC | {"tests/conformance", "tests/support", "tests/support/os_", "os"},
    "tests/conformance": PUBLIC | {"tests/conformance", "tests/support", "json"},
    "tests/unit": CORE | {"backends/common", "backends/posix", "backends/reactor", "backends/", "tests/support", "tests/support/os_", "tests/unit", "examples/own_backend/", "os", "other"},
    "tests/hosts": CORE | {"core/src", "adapters/", "adapters/common", "backends/", "tests/hosts", "tests/support", "os", "other"},
    "tests/adapters": PUBLIC | {"tests/adapters", "adapters/", "adapters/common", "tests/support", "os", "other"},
    "tests/stories": PUBLIC | {"backends/", "tests/stories", "tests/support"},
    "tests/added_kind": PUBLIC | {"backends/", "tests/support"},
    "tests/faults": PUBLIC | {"tests/faults", "tests/support", "os"},
    "tests/differential": PUBLIC | {"backends/", "tests/differential", "tests/support", "other"},
    "tests/support/kqueue": {"std", "tests/support/kqueue", "os"},
    "tests/support/os_": CORE | {"tests/support", "os", "json"},
    "tests/support": CORE | {"tests/support", "test"},
    "tests/package": PUBLIC | {"adapters/", "backends/", "os"},
}
SEARCHED = ["core/include", "core/src", "backends/*/include", "examples/own_backend/*/include", "backends", "adapters/*/include", "tests", "bench"]
OS_CONDITION = re.compile(r"^\s*#\s*(?:el)?if.*\b(_WIN32|WIN32|__linux__|__APPLE__|__unix__|__FreeBSD__|CORUN_(?:BACKEND|HAS)\w*)")
COMPILER_HEADERS = {"intrin.h"}
# Modules that may need each other, and no others; why is in docs/architecture.md, section 3.
CYCLES = {
    frozenset({"promise", "step", "task_state", "waiting"}),
    frozenset({"condition", "condition_wait", "mutex"}),
}
# They ask for the loop that runs, which stands above the header that declares them.
AT_HOME_ELSEWHERE = {"note_fork", "clock::now"}


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


def module_of(path):
    """A header and the .cpp of its name, wherever they are in their piece, are one module."""
    name = pathlib.PurePosixPath(path)
    return (name.parts[0] if name.parts[0] == "core" else piece_of(path)) + ":" + name.stem


def module_edges(root, texts):
    """(module, module) to the includes that make one need the other; of the core, the backends and the adapters."""
    edges = {}
    for here, text in texts.items():
        for name in re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', text, re.M):
            found = find(root, root / here, name)
            if found and module_of(found) != module_of(here):
                edges.setdefault((module_of(here), module_of(found)), []).append(f"{here} includes {found}")
    return edges


def cycles_of(edges):
    """Sets of modules each of which needs every other of its set, the largest first."""
    needs = {}
    for one, other in edges:
        needs.setdefault(one, set()).add(other)

    def reached_from(start):
        seen, todo = set(), [start]
        while todo:
            for next_one in needs.get(todo.pop(), ()):
                if next_one not in seen:
                    seen.add(next_one)
                    todo.append(next_one)
        return seen

    reached = {m: reached_from(m) for m in needs}
    cycles = {frozenset(o for o in reached[m] if m in reached.get(o, ())) for m in needs if m in reached[m]}
    return sorted(map(sorted, cycles), key=lambda c: (-len(c), c))


def bodies_cut_out(code):
    """The code at the level of namespaces and of classes: what functions' bodies and initialisers hold is left out. And for each position of
    an opening brace of a class, its name."""
    out, stack, statement = [], [], ""
    for c in code:
        if c == "{":
            opens = re.search(r"(?:^|\s)(namespace|class|struct|union|enum)\b(?!.*\boperator\b)[^()=]*$", statement, re.S) or "extern" in statement
            inside = all(kept for kept in stack)
            stack.append(bool(opens) and inside)
            if inside:
                out.append("{" if opens else "{}")
            statement = ""
        elif c == "}":
            kept = stack.pop() if stack else True
            if all(stack) and kept:
                out.append("}")
            statement = ""
        elif all(stack):
            out.append(c)
            statement = "" if c == ";" else statement + c
    return "".join(out)


def functions_of(text):
    """(classes and name, whether it has a body) of each function that is declared or defined outside of functions and unnamed namespaces."""
    code = re.sub(r"^\s*#.*$", "", without_comments_and_texts(text), flags=re.M)
    scopes, statement = [], ""
    for token in re.findall(r"[{};]|[^{};]+", bodies_cut_out(code)):
        if token not in "{};":
            statement = re.sub(r"\b(?:public|private|protected)\s*:", "", statement + token)
            continue
        if token == "{":
            opened = re.search(r"\b(namespace|class|struct|union|enum)\b([^{]*)$", statement)
            if opened and "(" not in opened.group(2):
                kind = opened.group(1)
                name = re.sub(r"\s*(?:final\s*)?:(?!:).*", "", re.sub(r"alignas\s*\(.*?\)|\b(?:class|struct)\b", "", opened.group(2)), flags=re.S).strip()
                scopes.append((kind, name))
                statement = ""
                continue
            scopes.append(("body", ""))
        elif token == "}":
            if scopes and scopes.pop()[0] == "body":
                yield from function_in(scopes, statement, True)
            statement = ""
        else:
            yield from function_in(scopes, statement, False)
            statement = ""


def function_in(scopes, statement, has_body):
    if any(kind == "namespace" and not name for kind, name in scopes) or re.search(r"\btemplate\b|\bfriend\b|\busing\b|\btypedef\b", statement):
        return
    found = re.match(r"[^(=]*?([~\w:]*\boperator\s*[^\s\w(]+|[~\w:]+)\s*\(", re.sub(r"__attribute__\s*\(\(.*?\)\)|\[\[.*?\]\]|alignas\(.*?\)|noexcept\(.*?\)", "", statement, flags=re.S), re.S)
    if found:
        classes = [name for kind, name in scopes if kind in ("class", "struct", "union")]
        path = [part for part in [*classes, *found.group(1).split("::")] if part not in ("corun", "detail", "")]
        yield "::".join(path), has_body


def definitions_away(texts):
    """Functions that a header of the core declares and a .cpp of another name defines."""
    declared = {}
    for here, text in texts.items():
        if here.startswith("core/") and here.endswith(".hpp"):
            for name, has_body in functions_of(text):
                if not has_body:
                    declared.setdefault(name, []).append(here)
    for here, text in texts.items():
        if here.startswith("core/") and here.endswith(".cpp"):
            for name, has_body in functions_of(text):
                places = declared.get(name, [])
                if has_body and places and name not in AT_HOME_ELSEWHERE and module_of(here) not in map(module_of, places):
                    yield f"{here} defines {name}, which {places[0]} declares"


def check_modules(root, texts, say):
    for away in definitions_away(texts):
        say(away)
    cycles = cycles_of(module_edges(root, texts))
    if root == pathlib.Path(__file__).parents[2].resolve():
        there = [{m.split(":")[1] for m in cycle} for cycle in cycles]
        for allowed in CYCLES:
            if allowed not in there:
                say(f"CYCLES allows {' '.join(sorted(allowed))}, which is no cycle any more")
    for cycle in cycles:
        names = [m.split(":")[1] for m in cycle]
        if not any(set(names) <= allowed for allowed in CYCLES):
            say(f"a cycle of modules that is not allowed: {' '.join(names)}; layering.py --modules says which includes close it")


def print_modules(root, texts):
    edges = module_edges(root, texts)
    for cycle in cycles_of(edges):
        print(f"a cycle of {len(cycle)} modules: {' '.join(m.split(':')[1] for m in cycle)}")
        for (one, other), includes in sorted(edges.items()):
            if one in cycle and other in cycle:
                print("   ", "; ".join(includes))
    away = [*definitions_away(texts)]
    print("\n".join([*away, f"{len(away)} definitions away from home"]))


def main():
    only_modules = "--modules" in sys.argv
    given = [a for a in sys.argv[1:] if a != "--modules"]
    root = pathlib.Path(given[0] if given else pathlib.Path(__file__).parents[2]).resolve()
    findings = []
    texts = {}
    files = 0
    for path in sorted(p for top in ("core", "backends", "adapters", "examples", "bench", "tests") for p in (root / top).rglob("*.?pp*")):
        here = path.relative_to(root).as_posix()
        if not path.name.endswith((".hpp", ".cpp", ".cpp.in", ".hpp.in")) or area_of(here) is None:
            continue
        files += 1
        say = lambda number, what: findings.append(f"{here}:{number}: {what}")
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        if here.startswith(("core/", "backends/", "adapters/")):
            texts[here] = text
        if only_modules:
            continue
        check_includes(root, path, lines, say)
        check_traps(here, text, lines, say)
    if only_modules:
        print_modules(root, texts)
        return
    check_modules(root, texts, findings.append)
    print("\n".join(findings) or f"layering holds in {files} files")
    sys.exit(bool(findings) or files == 0)


if __name__ == "__main__":
    main()
