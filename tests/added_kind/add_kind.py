#!/usr/bin/env python3
"""add_kind.py PROJECT COPY - writes a copy of the library's sources with the kind that docs/adding-an-operation.md adds."""
import pathlib
import sys

from page import write_copy

write_copy(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
