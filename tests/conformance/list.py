#!/usr/bin/env python3
"""list.py [--check] - writes docs/conformance.md from the names of the tests that begin with a case's id; --check: says if it is out of date."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/conformance.md"
GROUPS = {
    "RUN": "a run: what it gives back, what it leaves behind, interrupts",
    "LOOP": "turns, liveness, descriptors",
    "RDY": "the ready queue",
    "TMR": "timers",
    "TSK": "tasks and their handles",
    "CAN": "cancellation",
    "GRP": "task groups, gather, race",
    "TMO": "timeouts",
    "SYN": "event, mutex and their like",
    "TCP": "TCP",
    "THR": "posts and pool threads",
    "SHD": "the end of a run, frames that are destroyed while they wait",
    "ERR": "misuse and errors",
    "RES": "exhaustion",
    "CBK": "awaiting other people's callbacks",
    "FUT": "std::future, both ways",
    "GST": "a loop that another one turns",
    "ASIO": "Asio's operations in tasks, tasks as Asio's operations",
    "EMB": "other loops beside ours, systems that refuse",
}
HEAD = """# Conformance: the cases that this build covers

Made by `tests/conformance/list.py` from the names of the tests in `tests`; don't edit. An id names a case; several
tests may be needed for one. Ids of a group need not be consecutive: what is missing between them belongs to what is not there yet. `[rt]`: needs real time.
"""


def page():
    tests = {}
    for source in sorted((ROOT / "tests").rglob("*.cpp")):
        text = re.sub(r'(?<=[^\\])"\s*\n\s*"', "", source.read_text(encoding="utf-8"))   # a name in several literals
        for case, words in re.findall(r'TEST_CASE\(\s*"([A-Z]{3,4}-\d+) ((?:[^"\\]|\\.)*)"', text):
            tests.setdefault(case.split("-")[0], []).append((int(case.split("-")[1]), case, words.replace('\\"', '"')))
    if unknown := tests.keys() - GROUPS.keys():
        sys.exit(f"list.py: no title for the groups {', '.join(sorted(unknown))}")
    text = HEAD
    for group, title in GROUPS.items():
        if found := sorted(tests.get(group, []), key=lambda t: t[0]):
            text += f"\n## {group}: {title}\n\n" + "".join(f"- {case} {words}\n" for _, case, words in found)
    return text


def main():
    if sys.argv[1:] != ["--check"]:
        PAGE.write_text(page(), encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
        sys.exit("docs/conformance.md is out of date: run tests/conformance/list.py")


if __name__ == "__main__":
    main()
