"""page.py - what docs/adding-an-operation.md adds to the tree."""
import pathlib
import re

BLOCK = re.compile(r"^In `([^`]+)`(?:, (below|above) `([^`]+)`)?:\n\n```cpp\n(.*?)^```$", re.MULTILINE | re.DOTALL)
KIND = "file_size"
ENUMERATORS = "core/include/corun/operation_kind.hpp"


class Addition:
    def __init__(self, file, side, anchor, text):
        self.file, self.side, self.anchor, self.text = file, side, anchor, text

    def is_enumerator(self):
        return self.file == ENUMERATORS and "case" not in self.text

    def is_row(self):
        return f"case operation_kind::{KIND}:" in self.text

    def apply(self, before):
        """The file's text with the addition; `before` is None for a new one."""
        if self.side is None:
            if before is not None:
                raise SystemExit(f"{self.file} is there already; the page makes it")
            return self.text
        lines = before.splitlines(keepends=True)
        places = [i for i, line in enumerate(lines) if self.anchor in line]
        if len(places) != 1:
            raise SystemExit(f"{self.file} has {len(places)} lines with `{self.anchor}`; docs/adding-an-operation.md needs one")
        at = places[0] + (self.side == "below")
        return "".join(lines[:at]) + self.text + "".join(lines[at:])


def additions(project):
    found = [Addition(*block) for block in BLOCK.findall((project / "docs/adding-an-operation.md").read_text())]
    for a in found:
        a.side = a.side or None
    if not found:
        raise SystemExit("docs/adding-an-operation.md adds nothing: its blocks begin with \"In `file`, below `line`:\"")
    return found


def write_copy(project, copy, wanted=lambda addition: True):
    """core/include, core/src and backends with the additions; files that are as they should be are left alone."""
    texts = {}
    for folder in ("core/include", "core/src", "backends"):
        for path in sorted((project / folder).rglob("*.[hc]pp")):
            texts[path.relative_to(project).as_posix()] = path.read_text()
    for addition in filter(wanted, additions(project)):
        texts[addition.file] = addition.apply(texts.get(addition.file))
    for name, text in texts.items():
        place = pathlib.Path(copy) / name
        if place.is_file() and place.read_text() == text:
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
