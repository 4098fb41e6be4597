"""Whether a workbook is of a size to be opened: a few bytes can unpack to more than memory."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from typing import IO
from xml.parsers import expat

# A table of 50,000 rows of ten columns is within both. A cell takes two elements.
MOST_BYTES = 64 * 2**20
MOST_ELEMENTS = 2_000_000


def too_large(content: bytes) -> str | None:
    """What about a workbook is too large, in words; None where nothing is, and where it is no
    workbook at all: whatever reads it reports that better."""
    # A damaged workbook fails in as many ways as it has parts.
    with suppress(Exception), zipfile.ZipFile(io.BytesIO(content)) as book:
        # No more is read of a part than the list says of its size.
        unpacked_size = sum(zip_member.file_size for zip_member in book.infolist())
        if unpacked_size > MOST_BYTES:
            size_text = f"unpacked it is {unpacked_size / 2**20:,.0f} MB"
            return f"{size_text}, and {MOST_BYTES // 2**20} MB are the most that is read"
        elements_left = MOST_ELEMENTS
        for zip_member in book.infolist():
            with book.open(zip_member) as unpacked:
                elements_left -= _elements(unpacked, elements_left)
            if elements_left < 0:
                return f"{MOST_ELEMENTS // 2:,} cells are the most that is read"
    return None


def _elements(file: IO[bytes], most: int) -> int:
    """How many elements a part of XML has, or some number above `most`; read without keeping any.
    A part that is no XML, a picture say, has none."""
    element_count = 0

    def element_begun(_name: str, _attributes: object) -> None:
        nonlocal element_count
        element_count += 1

    parser = expat.ParserCreate()
    parser.StartElementHandler = element_begun
    with suppress(expat.ExpatError):
        while element_count <= most and (chunk := file.read(2**16)):
            parser.Parse(chunk)
    return element_count
