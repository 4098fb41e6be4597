"""Excel workbooks: what they can hold, and how their bytes stay the same for the same content."""

from __future__ import annotations

import io
import re
import zipfile
from importlib.util import find_spec

from riskseg.domain.problems import problem

# What Excel allows in a workbook.
MOST_ROWS, MOST_COLUMNS, MOST_CHARACTERS = 1_048_576, 16_384, 32_767

# XML's own way to write what it has no character for, in spreadsheets: `_x000D_`.
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_TO_ESCAPE = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_CHANGED_ON = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def check_openpyxl(instead: str) -> None:
    """Raise RS024 where openpyxl is not installed; `instead` says what does without it."""
    if find_spec("openpyxl") is None:
        raise problem(
            "RS024",
            "The package openpyxl, which reads and writes Excel workbooks, is not installed.",
            hint=f"Install it with: pip install openpyxl, or {instead}.",
        )


def escaped(text: str) -> str:
    """A text as a workbook's XML can hold it."""
    return _TO_ESCAPE.sub(lambda control: f"_x{ord(control[0]):04X}_", text)


def unescaped(text: str) -> str:
    """The text that a workbook's XML stands for."""
    return _ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), text)


def without_clock(book: bytes) -> bytes:
    """The workbook without the times it was made at, in its properties and on its parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old_book, zipfile.ZipFile(buffer, "w") as new_book:
        for name in old_book.namelist():
            content = old_book.read(name)
            if name == "docProps/core.xml":
                content = _CHANGED_ON.sub(b"2000-01-01T00:00:00Z", content)
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
            new_book.writestr(entry, content)
    return buffer.getvalue()
