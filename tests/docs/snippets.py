#!/usr/bin/env python3
"""snippets.py PAGE COMPILER [OPTION...] - every C++ block of a page compiles, as it stands.

A block with a main is a file, after the includes that a reader would add; so is one that begins with a class; any other one is the inside of
a function. One that names what the machine has no headers of (asio::) is left out with a line.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

PRELUDE = """#include <corun/corun.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <system_error>
#include <utility>

using namespace std::chrono_literals;
"""
ASIO = "#include <corun/asio_host.hpp>\n"
QT = "".join(f"#include <{name}>\n" for name in ("corun/host_pump.hpp", "QMetaObject", "QObject", "QSocketNotifier", "QTimer", "memory"))
# What a fragment takes for given.
GIVEN = "corun::task<> serve();\n"


def program_of(block):
    if "int main(" in block:
        return (block if "#include" in block else PRELUDE + block)
    if block.startswith("class "):
        return PRELUDE + (QT if "QObject" in block else "") + block
    return PRELUDE + (ASIO if "asio::" in block else "") + GIVEN + "void fragment();\nvoid fragment() {\n" + block + "}\n"


def main():
    page, command = pathlib.Path(sys.argv[1]), sys.argv[2:]
    text = page.read_text()
    blocks = [(text.count("\n", 0, m.start(1)) + 1, m.group(1)) for m in re.finditer(r"^```cpp\n(.*?)^```$", text, re.M | re.S)]
    has_asio = not subprocess.run(command + ["-x", "c++", "-fsyntax-only", "-include", "asio.hpp", "/dev/null"], capture_output=True).returncode
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for line, block in blocks:
            if "asio::" in block and not has_asio:
                print(f"{page.name}:{line}: left out: it needs Asio's headers")
                continue
            source = pathlib.Path(folder) / f"line_{line}.cpp"
            source.write_text(program_of(block))
            done = subprocess.run(command + ["-fsyntax-only", str(source)], capture_output=True, text=True)
            if done.returncode:
                failed += 1
                print(f"{page.name}:{line}: does not compile:\n{done.stderr[:3000]}")
    print(f"{page.name}: {len(blocks)} blocks, {failed} do not compile")
    return 1 if failed or not blocks else 0


sys.exit(main())
