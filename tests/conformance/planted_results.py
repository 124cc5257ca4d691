#!/usr/bin/env python3
"""planted_results.py - matrix.py on made-up results: what it prints, and which of them the page that it wrote before agrees with."""
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
PASSED, FAILED, SKIPPED = ("run", "", ""), ("fail", "<failure/>", ""), ("notrun", "<skipped/>", "skipped: no signals")
OTHER_REASON, NOT_STARTED = ("notrun", "<skipped/>", "skipped: no clock"), ("notrun", "<skipped/>", "Unable to find executable")
EPOLL = {"epoll/RUN-01 a": PASSED, "epoll/RUN-02 b": PASSED, "epoll/RUN-02 c": PASSED, "epoll/all in one process": PASSED}
SIM = {"sim/RUN-01 a": SKIPPED, "sim/RUN-02 b": PASSED, "sim/RUN-02 c": SKIPPED, "sim/without an id": PASSED, "sim/all in one process": PASSED}
OTHERS = {"unit/RUN-01 of a piece": FAILED, "unit/all in one process": PASSED, "epoll-other-way/RUN-01 a": FAILED,
          "epoll-other-way/all in one process": PASSED, "build/RUN-16 refused": FAILED}
ALL = EPOLL | SIM | OTHERS

# Results, and a word of what --check says about the page that was made of ALL; none: it agrees.
PLANTED = [
    (ALL, None),
    (EPOLL, None),
    (SIM, None),
    (ALL | {"epoll/RUN-01 a": FAILED}, "epoll: RUN-01: the page has ✓, the results ✗"),
    (ALL | {"epoll/RUN-02 c": NOT_STARTED}, "epoll: RUN-02: the page has ✓, the results ✗"),
    (ALL | {"epoll/RUN-03 new": PASSED}, "epoll: RUN-03: the page has nothing, the results ✓"),
    ({name: t for name, t in ALL.items() if name != "epoll/RUN-01 a"}, "epoll: RUN-01: the page has ✓, the results nothing"),
    (ALL | {"sim/RUN-01 a": PASSED}, "sim: RUN-01: the page has – (no signals), the results ✓"),
    (ALL | {"sim/RUN-01 a": OTHER_REASON}, "sim: RUN-01: the page has – (no signals), the results – (no clock)"),
    (ALL | {"sim/RUN-02 c": PASSED}, "sim: RUN-02: the page has ✓ – (no signals), the results ✓"),
    (ALL | {"iocp/RUN-01 a": PASSED, "iocp/all in one process": PASSED}, "iocp: RUN-01: the page has nothing, the results ✓"),
    (OTHERS, "no backend's cases"),
]
PRINTED = """        epoll  sim   mine
RUN     2 ✗1   1 –2
others         1     0 ✗1
all     2 ✗1   2 –2  0 ✗1
✗ epoll: RUN-01 a
– sim: RUN-01, RUN-02: no signals
✗ mine: not built
"""

wrong = 0
with tempfile.TemporaryDirectory() as folder:
    tools = pathlib.Path(folder) / "tests/conformance"
    tools.mkdir(parents=True)
    (tools.parents[1] / "docs").mkdir()
    for name in ("matrix.py", "list.py"):
        shutil.copy(HERE / name, tools)
    results = pathlib.Path(folder) / "results.xml"

    def matrix(tests, *how):
        lines = [f'<testcase name="{name}" status="{status}">{what}<system-out>{said}</system-out></testcase>' for name, (status, what, said) in tests.items()]
        results.write_text(f"<testsuite>{''.join(lines)}</testsuite>", encoding="utf-8")
        return subprocess.run([sys.executable, "-X", "utf8", str(tools / "matrix.py"), *how, str(results)], capture_output=True, encoding="utf-8", check=False)

    matrix(ALL, "--write")
    for tests, expected in PLANTED:
        done = matrix(tests, "--check")
        said = done.stdout + done.stderr
        if (said or done.returncode) if expected is None else (done.returncode != 1 or expected not in said):
            wrong += 1
            print(f"expected: {expected or 'nothing'}\n    found: {said.strip()}")
    printed = matrix(ALL | {"epoll/RUN-01 a": FAILED, "mine/not built": NOT_STARTED}).stdout
    if printed != PRINTED:
        wrong += 1
        print(f"expected:\n{PRINTED}found:\n{printed}")
print(f"{len(PLANTED) + 1} planted results, {wrong} judged wrongly")
sys.exit(wrong > 0)
