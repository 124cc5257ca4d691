#!/usr/bin/env python3
"""matrix.py RESULTS...   prints what the runs found: groups of cases by backends
matrix.py --write RESULTS...   writes docs/conformance-matrix.md
matrix.py --check RESULTS...   says what on that page is out of date, and exits with 1

RESULTS are what `ctest --output-junit` writes, any number of files. A backend that is in none of them keeps its column on the page.
"""
import pathlib
import re
import sys
import xml.etree.ElementTree

from list import GROUPS

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/conformance-matrix.md"
COLUMNS = {"epoll": "epoll", "io_uring": "io_uring", "kqueue": "kqueue (emulated)", "libuv": "libuv", "asio": "asio", "sim": "sim", "iocp": "iocp",
           "poll": "poll (example)"}
NO_SUITES = {"unit", "stories", "fall-back", "no-default"}
PASSED, PARTLY, SKIPPED, FAILED = "✓", "✓ –", "–", "✗"
HEAD = f"""# Conformance: what each backend passes

Made by `tests/conformance/matrix.py --write` from the results of real runs on Linux; don't edit. [conformance.md](conformance.md) has the words
of the cases. {PASSED}: every test of the case passed; {SKIPPED}: left out, for the reason of the note, a row of `tests/conformance/exceptions.txt`;
{PARTLY}: some of its tests are left out; empty: the case is not built for that backend.
"""


class test:
    def __init__(self, element):
        self.backend, _, self.words = element.get("name").partition("/")
        found = re.match(r"([A-Z]{3,4})-\d+", self.words)
        self.case, self.group = (found.group(), found.group(1)) if found else (None, None)
        self.reason = None
        self.mark = PASSED
        said = re.match(r"\s*skipped: (.*)", element.findtext("system-out") or "")
        if element.find("failure") is not None:
            self.mark = FAILED
        elif element.find("skipped") is not None or element.get("status") != "run":
            # One that could not be started is listed as skipped, too: but with no reason of ours.
            self.mark, self.reason = (SKIPPED, said.group(1).strip()) if said else (FAILED, None)

    def is_counted(self):
        """What is no case counts only when it fails: all of them in one process, or a suite that is not built."""
        return self.words != "all in one process" or self.mark == FAILED


def read(files):
    """The suite's tests, by backend. A later file's column replaces an earlier one's."""
    found = {}
    for name in files:
        try:
            elements = [*xml.etree.ElementTree.parse(name).iter("testcase")]
        except (OSError, xml.etree.ElementTree.ParseError) as error:
            sys.exit(f"matrix.py: {name}: {error}")
        tests = [test(e) for e in elements]
        names = [e.get("name") for e in elements]
        here = {}
        for t in filter(test.is_counted, tests):
            here.setdefault(t.backend, []).append(t)
        # Other programs' tests have names of that form, too.
        suites = {e.split("/")[0] for e in names if e.endswith(("/all in one process", "/not built"))} - NO_SUITES | COLUMNS.keys()
        found |= {b: of_it for b, of_it in here.items() if b in suites and not re.search("-other-way$|-ahead$|-host$|^adapter-", b)}
    order = [*COLUMNS, *sorted(found.keys() - COLUMNS.keys())]
    return {backend: found[backend] for backend in order if backend in found}


def summary(found):
    """A table of counts, and a line for each reason to leave something out."""
    def cell(tests):
        count = lambda mark: sum(t.mark == mark for t in tests)
        more = [f"{mark}{count(mark)}" for mark in (SKIPPED, FAILED) if count(mark)]
        return " ".join([str(count(PASSED)), *more]) if tests else ""

    groups = [g for g in GROUPS if any(t.group == g for tests in found.values() for t in tests)]
    table = [["", *(COLUMNS.get(backend, backend) for backend in found)]]
    table += [[g, *(cell([t for t in tests if t.group == g]) for tests in found.values())] for g in groups]
    table += [["others", *(cell([t for t in tests if not t.case]) for tests in found.values())]]
    table += [["all", *(cell(tests) for tests in found.values())]]
    widths = [max(map(len, column)) for column in zip(*table)]
    lines = ["  ".join(text.ljust(w) for text, w in zip(row, widths)).rstrip() for row in table]
    for backend, tests in found.items():
        reasons = {}
        for t in tests:
            if t.reason:
                reasons.setdefault(t.reason, []).append(t.case or f'"{t.words}"')
        for reason, cases in reasons.items():
            cases = list(dict.fromkeys(cases))
            lines.append(f"{SKIPPED} {backend}: {', '.join(cases) if len(cases) <= 8 else f'{len(cases)} cases'}: {reason}")
        lines += [f"{FAILED} {backend}: {t.words}" for t in tests if t.mark == FAILED]
    return "\n".join(lines)


def cells_of(tests):
    """(mark, reason) by case."""
    by_case = {}
    for t in tests:
        if t.case:
            by_case.setdefault(t.case, []).append(t)
    cells = {}
    for case, all_of_it in by_case.items():
        marks = {t.mark for t in all_of_it}
        mark = FAILED if FAILED in marks else PARTLY if len(marks) > 1 else marks.pop()
        cells[case] = (mark, next((t.reason for t in all_of_it if t.reason), None))
    return cells


def read_page():
    """Columns of the page as cells_of() makes them, by backend."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    reasons = dict(re.findall(r"^\[\^(\d+)\]: (.*)$", text, re.M))
    names = {title: backend for backend, title in COLUMNS.items()}
    columns, heads = {}, []
    for line in text.splitlines():
        row = [c.strip() for c in line.strip("|").split("|")]
        if line.startswith("| case |"):
            heads = [names.get(title) for title in row[1:]]
        elif re.match(r"\| [A-Z]{3,4}-\d+ \|", line):
            for backend, cell in zip(heads, row[1:]):
                found = re.fullmatch(r"(.*?)(?:\[\^(\d+)\])?", cell)
                if cell:
                    columns.setdefault(backend, {})[row[0]] = (found.group(1), reasons.get(found.group(2)))
    return columns


def write_page(columns):
    notes = {}

    def text_of(mark, reason):
        return mark if reason is None else f"{mark}[^{notes.setdefault(reason, len(notes) + 1)}]"

    backends = [backend for backend in COLUMNS if backend in columns]
    cases = sorted({case for cells in columns.values() for case in cells}, key=lambda c: int(c.split("-")[1]))
    text = HEAD
    for group, title in GROUPS.items():
        rows = [case for case in cases if case.startswith(group + "-")]
        if rows:
            text += f"\n## {group}: {title}\n\n| case | {' | '.join(COLUMNS[b] for b in backends)} |\n|---|{'---|' * len(backends)}\n"
        for case in rows:
            texts = [text_of(*columns[b].get(case, ("", None))) for b in backends]
            text += f"| {case} |{''.join(f' {t} |' if t else ' |' for t in texts)}\n"
    return text + ("\n" if notes else "") + "".join(f"[^{number}]: {reason}\n" for reason, number in notes.items())


def differences(old, new):
    for backend in new:
        before, after = old.get(backend, {}), new[backend]
        for case in sorted(before.keys() | after.keys()):
            was, now = before.get(case, ("nothing", None)), after.get(case, ("nothing", None))
            if was != now:
                say = lambda mark, reason: mark + (f" ({reason})" if reason else "")
                yield f"{backend}: {case}: the page has {say(*was)}, the results {say(*now)}"


def main():
    what = sys.argv[1] if sys.argv[1:2] in (["--write"], ["--check"]) else None
    files = sys.argv[2 if what else 1:]
    found = read(files)
    if not found:
        sys.exit(__doc__ if not files else f"matrix.py: no backend's cases are in {', '.join(files)}")
    if not what:
        print(summary(found))
        return
    results = {backend: cells_of(tests) for backend, tests in found.items() if backend in COLUMNS}
    old = read_page()
    text = write_page(old | results)
    if what == "--write":
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        different = [*differences(old, results)]
        print("\n".join(different[:20] + ["..."] * (len(different) > 20)))
        sys.exit(f"docs/conformance-matrix.md is out of date: tests/conformance/matrix.py --write {' '.join(files)}")


if __name__ == "__main__":
    main()
