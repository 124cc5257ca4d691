#!/usr/bin/env python3
"""compile_errors.py COMPILER CASE INCLUDE - a mistake must not compile, and the first error line must say what to do. A value that must
be looked at and is not is a mistake, too.

CASE names the words in its first line: `// error: <text>`; the first line of the compiler's with an error must hold them.
`// error from Clang: <text>`: GCC 12 tells nothing of a value that an await gives and that is dropped; CMake leaves it out there.
A second line `// options: <options>` gives the compiler these, too.
"""
import re
import subprocess
import sys


def main():
    compiler, case, include = sys.argv[1:]
    with open(case) as source:
        expected = re.fullmatch(r"// error(?: from Clang)?: (.+)\n", source.readline())
        more = re.fullmatch(r"// options: (.+)\n", source.readline())
    if not expected:
        sys.exit(f"{case}: its first line must be `// error: <text>` or `// error from Clang: <text>`")
    options = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror=unused-result", "-Werror=unused-value", f"-I{include}",
               *(more[1].split() if more else [])]
    run = subprocess.run([compiler, *options, case], capture_output=True, text=True, env={"PATH": "/usr/bin:/bin:/usr/local/bin", "LC_ALL": "C"})
    if run.returncode == 0:
        sys.exit(f"{case}: compiles")
    first = next((line for line in run.stderr.splitlines() if " error: " in line), "(no error line)\n" + run.stderr)
    if expected[1] not in first:
        sys.exit(f"expected: {expected[1]}\nfirst:    {first}")
    print(first)


if __name__ == "__main__":
    main()
