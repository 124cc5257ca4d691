#!/usr/bin/env python3
"""coverage.py TREE - which lines of the library the tests of a build tree (CORUN_COVERAGE) have executed.

Reads TREE/profiles, into which each process of a test run wrote what it executed, also one that was killed; prints a line for each room and
each line that was not executed, and exits with 1 if a room has fewer than unreachable.txt says.
"""
import collections
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = pathlib.Path(__file__).with_name("unreachable.txt")
ROOMS = ["core", "backends/common", "backends/posix", "backends/reactor", "backends/epoll", "backends/sim", "backends/io_uring"]
PROGRAMS = ["tests/conformance/conformance_epoll", "tests/conformance/conformance_sim", "tests/conformance/conformance_io_uring",
            "tests/conformance/conformance_libuv", "tests/unit/conformance_io_uring_ahead", "tests/unit/conformance_blocking",
            "tests/unit/fall_back", "tests/unit/no_default", "tests/unit/unit", "tests/hosts/guests_epoll", "tests/hosts/hosted_epoll",
            "tests/hosts/guests_borrowed_libuv", "tests/oracle/corun_oracle", "tests/faults/faults_epoll", "tests/faults/faults_io_uring"]


def tool(name):
    found = shutil.which(name + "-19") or shutil.which(name)
    if not found:
        sys.exit(f"coverage.py: there is no {name}; on Debian it comes with llvm-19")
    return found


def read_table():
    """The rows of unreachable.txt: the shares that rooms must have, and reasons by file and text."""
    least, reasons = {}, {}
    for number, row in enumerate(TABLE.read_text(encoding="utf-8").splitlines(), 1):
        if not row or row.startswith("#"):
            continue
        parts = [p.strip() for p in row.split(" | ")]
        if floor := re.fullmatch(r"at least ([\d.]+) %", parts[0]):
            least[parts[1]] = float(floor[1])
        elif len(parts) == 3 and parts[2]:
            reasons[parts[0], parts[1]] = parts[2]
        else:
            sys.exit(f"{TABLE}:{number}: neither \"file | text of the line | reason\" nor \"at least N % | room\": {row}")
    if least.keys() != set(ROOMS):
        sys.exit(f"{TABLE}: a share for each of {', '.join(ROOMS)}, and for no other room; there is one for {', '.join(least)}")
    return least, reasons


def lines_of(row, source):
    """The numbers of the lines that a row means: those with its text, or, of `first ... last`, each from one to the other."""
    first, dots, last = row.partition(" ... ")
    begins = [n for n, text in enumerate(source, 1) if text.strip() == first]
    if not dots:
        return set(begins)
    ends = [n for n, text in enumerate(source, 1) if text == last]
    return {n for begin in begins for n in range(begin, min((e for e in ends if e > begin), default=begin - 1) + 1)}


def count_lines(tree, profiles):
    """How often each line was executed, by file."""
    merged = profiles / "all.profdata"
    subprocess.run([tool("llvm-profdata"), "merge", "-sparse", "-o", str(merged), *map(str, profiles.glob("*.profraw"))], check=True)
    # One after the other: given several, llvm-cov keeps the first one's record of a function, which says "never" where it is not used there.
    command = [tool("llvm-cov"), "export", "-format=lcov", "-skip-functions", f"-instr-profile={merged}"]
    programs = [str(tree / p) for p in PROGRAMS]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        texts = pool.map(lambda p: subprocess.run([*command, p], check=True, capture_output=True, text=True).stdout, programs)
    lines = collections.defaultdict(lambda: collections.defaultdict(int))
    for row in "\n".join(texts).splitlines():
        if row.startswith("SF:"):
            path = (tree / row[3:]).resolve()
            file = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else None
        elif row.startswith("DA:") and file:
            number, count = (int(n) for n in row[3:].split(",")[:2])
            lines[file][number] = max(lines[file][number], count)
    return lines


def main():
    tree = pathlib.Path(sys.argv[1]).resolve()
    profiles = tree / "profiles"
    least, reasons = read_table()
    lines = count_lines(tree, profiles)
    well = True

    seen_reasons, missing = set(), collections.defaultdict(list)
    reached, reachable = collections.Counter(), collections.Counter()
    for file, counts in sorted(lines.items()):
        room = next((r for r in ROOMS if file.startswith(r + "/")), None)
        if not room:
            continue
        source = (ROOT / file).read_text(encoding="utf-8").splitlines()
        not_reachable = set()
        for row in (text for of, text in reasons if of == file):
            if numbers := lines_of(row, source):
                not_reachable |= numbers
                seen_reasons.add((file, row))
        for number, count in sorted(counts.items()):
            text = source[number - 1].strip()
            if count == 0 and (number in not_reachable or text == "}" or text.startswith("//")):   # a brace alone belongs to what is before it
                continue
            reachable[room] += 1
            reached[room] += count > 0
            if count == 0:
                missing[room].append(f"{file}:{number} | {text}")

    for room in ROOMS:
        for line in missing[room]:
            print(line)
    for file, text in sorted(reasons.keys() - seen_reasons):
        print(f"{TABLE.name}: no such line any more: {file} | {text}")
        well = False
    for room in ROOMS:
        share = 100 * reached[room] / max(reachable[room], 1)
        wanted = least[room]
        falls_short = share < wanted
        well = well and not falls_short
        print(f"{room:20} {reached[room]:5} of {reachable[room]:5} lines  {share:6.2f} %" + (f"  FEWER than {wanted} %" if falls_short else ""))
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
