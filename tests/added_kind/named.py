#!/usr/bin/env python3
"""named.py PROJECT COMPILER [OPTION...] - a kind that has its enumerator only is an error of the compiler's in each table that lacks its row.

The tables are those that docs/adding-an-operation.md adds a row to, and there are no others.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from page import KIND, additions, write_copy

WINDOWS_COMPILER = "x86_64-w64-mingw32-g++-posix"


def main():
    project, compiler, options = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    rows = {a.file for a in additions(project) if a.is_row()}
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder)
        write_copy(project, copy, lambda addition: addition.is_enumerator())
        tables = {p.relative_to(copy).as_posix() for p in copy.rglob("*.[hc]pp") if re.search(r"\(operation_kind k\) noexcept \{\n.*?\bswitch \(k\)", p.read_text(), re.DOTALL)}
        for name in sorted(tables ^ rows):
            failures.append(f"{name}: " + ("has a table that the page adds no row to" if name in tables else "the page adds a row, and no table is found"))
        for name in sorted(tables & rows):
            with_what = compiler
            if "/iocp/" in name:
                if not (with_what := shutil.which(WINDOWS_COMPILER)):
                    print(f"{name}: not compiled, as {WINDOWS_COMPILER} is not installed")
                    continue
            run = subprocess.run([with_what, "-std=c++20", "-fsyntax-only", "-Wall", "-Werror=switch", f"-I{copy}/core/include", f"-I{copy}/backends",
                                  f"-I{copy}/backends/{name.split('/')[1]}/include", *(options if with_what == compiler else []), "-x", "c++", str(copy / name)],
                                 capture_output=True, text=True, env={"PATH": "/usr/bin:/bin:/usr/local/bin", "LC_ALL": "C"})
            named = [line for line in run.stderr.splitlines() if " error: " in line and name in line and f"'{KIND}' not handled in switch" in line]
            if named:
                print(named[0].removeprefix(f"{copy}/"))
            else:
                failures.append(f"{name}: the compiler does not name the kind that its table lacks\n{run.stderr}")
    if failures:
        sys.exit("\n".join(failures))


if __name__ == "__main__":
    main()
