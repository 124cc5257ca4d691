#!/usr/bin/env python3
"""Random programs on corun against CPython 3.13's asyncio, trace by trace.

    check_programs.py hashes CORUN_ORACLE PROFILE                20,000 programs against the hashes in hashes/PROFILE.txt
    check_programs.py live CORUN_ORACLE PROFILE [FROM [COUNT]]   fresh seeds (2,000) against python3.13; exits 77 if there is none
    check_programs.py write                                      makes hashes/*.txt anew, with python3.13

The programs are made here, by asyncio_oracle.py, whose random numbers are the same in every Python 3; traces are CPython 3.13's.
CORUN_PYTHON names the interpreter if it is not python3.13 on the PATH. On a difference: the seed and its program, and, where CPython
3.13 is there, the first event that differs with both sides.
"""
import hashlib, json, os, pathlib, shutil, subprocess, sys, tempfile, time

HERE = pathlib.Path(__file__).resolve().parent
ORACLE = HERE / "asyncio_oracle.py"
PROFILES = ("tasks", "sync", "contention")
COUNT = 20_000
SHOWN = 5


def python313():
    """The interpreter that traces are made with, or None."""
    found = os.environ.get("CORUN_PYTHON") or shutil.which("python3.13")
    if not found:
        return None
    # A shim on the PATH may stand for a version that is not installed.
    asked = subprocess.run([found, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True)
    return found if asked.stdout.strip() == "3.13" else None


def generate(first, count, profile):
    command = [sys.executable, ORACLE, "gen", str(first), str(first + count), profile]
    return subprocess.run(command, capture_output=True, check=True).stdout


def traces(command, programs):
    return subprocess.run(command, input=programs, capture_output=True, check=True).stdout.splitlines()


def digest(trace):
    return hashlib.sha256(trace).hexdigest()[:8]


def expected_of(python, programs):
    return traces([python, ORACLE, "run"], programs)


def show(corun_oracle, program):
    """A program whose traces differ: both sides of the first difference if they can be had."""
    python = python313()
    if not python:
        print(f"  {program.decode()}\n  (with python3.13 on the PATH the first differing event is shown)")
        return
    both = json.loads(program) | {"trace": json.loads(expected_of(python, program + b"\n")[0])["trace"]}
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.write(json.dumps(both, separators=(",", ":")) + "\n")
        file.flush()
        print(subprocess.run([corun_oracle, "--check", file.name], capture_output=True, text=True).stdout)


def compare(corun_oracle, programs, expected):
    actual = traces([corun_oracle], programs)
    programs = programs.splitlines()
    if not len(programs) == len(expected) == len(actual) > 0:
        sys.exit(f"{len(programs)} programs, {len(expected)} expected traces, {len(actual)} traces")
    different = [i for i, trace in enumerate(actual) if digest(trace) != expected[i]]
    for i in different[:SHOWN]:
        print(f"seed {json.loads(programs[i])['seed']} differs")
        show(corun_oracle, programs[i])
    print(f"{len(programs)} programs, {len(different)} traces differ")
    return 1 if different else 0


def check_hashes(corun_oracle, profile):
    return compare(corun_oracle, generate(0, COUNT, profile), (HERE / "hashes" / f"{profile}.txt").read_text().split())


def check_live(corun_oracle, profile, first=None, count=2_000):
    python = python313()
    if not python:
        print("no python3.13 here: nothing to compare with")
        return 77
    first = int(time.time()) * 1_000 if first is None else int(first)
    print(f"seeds from {first} on: repeat with `live CORUN_ORACLE {profile} {first} {count}`")
    programs = generate(first, int(count), profile)
    return compare(corun_oracle, programs, [digest(t) for t in expected_of(python, programs)])


def write():
    python = python313() or sys.exit("python3.13 is needed: only its traces count")
    (HERE / "hashes").mkdir(exist_ok=True)
    for profile in PROFILES:
        expected = expected_of(python, generate(0, COUNT, profile))
        (HERE / "hashes" / f"{profile}.txt").write_text("".join(digest(t) + "\n" for t in expected))


if __name__ == "__main__":
    verbs = {"hashes": check_hashes, "live": check_live, "write": write}
    if len(sys.argv) < 2 or sys.argv[1] not in verbs:
        sys.exit(__doc__)
    sys.exit(verbs[sys.argv[1]](*sys.argv[2:]))
