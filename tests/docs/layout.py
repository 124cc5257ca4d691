#!/usr/bin/env python3
"""layout.py [PROJECT] - docs/architecture.md's section 2 names each source file of core, backends and adapters, and none that is not there.

A name there is a file's with or without its ending, and the header's and the .cpp's of one stem. Prints what is missing and exits with 1.
"""
import pathlib
import re
import sys

TOPS = ("core", "backends", "adapters")


def section(text):
    return text.split("\n## 2. ")[1].split("\n## 3. ")[0]


def findings(root):
    text = section((root / "docs/architecture.md").read_text(encoding="utf-8"))
    words = set(re.findall(r"[\w.+-]*\w", text))
    words |= {pathlib.Path(w).stem for w in words}
    files = [p for top in TOPS for p in sorted((root / top).rglob("*")) if p.suffix in (".hpp", ".cpp")]
    headers = {p.stem for p in files if p.suffix == ".hpp"}
    named = lambda p: p.name in words or p.stem in words
    for path in files:
        if not named(path) and not (path.suffix == ".cpp" and path.stem in headers):
            yield f"docs/architecture.md, section 2, does not name {path.relative_to(root).as_posix()}"
    there = {p.name for top in (*TOPS, "examples", "tests") for p in (root / top).rglob("*") if p.is_file()}
    stems = {pathlib.Path(name).stem for name in there} | {p.name for top in TOPS for p in (root / top).rglob("*") if p.is_dir()}
    for word in sorted(set(re.findall(r"\w+\.[hc]pp(?!\.)\b", text)) | set(re.findall(r"`([a-z][a-z_0-9]*)`", text))):
        if word not in there | stems:
            yield f"docs/architecture.md, section 2, names {word}, which is nowhere"
    folders = {p.name for top in (*TOPS, "examples", "tests", "bench", "docs", "cmake") for p in (root / top, *(root / top).rglob("*")) if p.is_dir()}
    for word in sorted(set(re.findall(r"(?<![\w./])(\w{2,})/(?=[\s\w]|$)", text, re.M))):
        if word not in folders:
            yield f"docs/architecture.md, section 2, names the folder {word}, which is nowhere"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2]).resolve()
    found = [*findings(root)]
    print("\n".join(found) or "the layout page agrees with the tree")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
