#!/usr/bin/env python3
"""planted_layout.py - layout.py finds what is planted: each tree below agrees with its page, or does not."""
import pathlib
import subprocess
import sys
import tempfile

CHECK = pathlib.Path(__file__).with_name("layout.py")
FILES = ["core/include/corun/task.hpp", "core/src/task/task.cpp", "backends/epoll/epoll.cpp", "adapters/poll/poll_host.cpp"]
# What section 2 says, of files besides these, and whether it agrees.
PLANTED = [
    ("`task`, `epoll.cpp`, `poll_host`", [], True),
    ("`task`, `epoll.cpp`, poll_host", [], True),
    ("`task`, `epoll.cpp`", [], False),
    ("`task`, `epoll.cpp`, `poll_host`", ["core/src/task/more.cpp"], False),
    ("`task`, `epoll.cpp`, `poll_host`, `gone`", [], False),
    ("`task`, `epoll.cpp`, `poll_host`, gone.hpp", [], False),
    ("`task`, `epoll.cpp`, `poll_host` in gone/ and", [], False),
    ("`task`, `epoll.cpp`, `poll_host` in epoll/ and", [], True),
]

wrong = 0
for says, more, agrees in PLANTED:
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name in [*FILES, *more]:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).touch()
        (root / "docs").mkdir()
        (root / "docs/architecture.md").write_text(f"# A\n\n## 1. Whole\n\n## 2. Layout\n\n{says}\n\n## 3. Rest\n", encoding="utf-8")
        done = subprocess.run([sys.executable, str(CHECK), folder], capture_output=True, text=True, check=False)
    if (done.returncode == 0) != agrees:
        wrong += 1
        print(f"{says} {more}: expected that it {'agrees' if agrees else 'differs'}:\n    {(done.stdout + done.stderr).strip()}")
print(f"{len(PLANTED)} planted, {wrong} judged wrongly")
sys.exit(wrong > 0)
