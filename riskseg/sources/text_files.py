"""Text files as blocks of UTF-8, whatever they are compressed with and encoded in."""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

BLOCK = 1 << 23
# How files begin that are no text, and what they are.
_FORMS = {
    b"PK\x03\x04": "an Excel workbook, or another zip file",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF file",
}
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


class UnreadableTextError(Exception):
    """A file that is not the text it is taken for: `code` and `hint` of the Problem, `line`."""

    def __init__(self, message: str, line: int | None, hint: str, code: str = "RS020") -> None:
        super().__init__(message)
        self.line, self.hint, self.code = line, hint, code


def is_utf8(encoding: str | None) -> bool:
    """Whether text of this encoding is UTF-8; what nothing is stated of has to be."""
    return encoding is None or codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii")


def is_compressed(path: Path) -> bool:
    return path.name.lower().endswith(".gz")


def utf8_blocks(path: Path, encoding: str | None, table: str) -> Iterator[bytes]:
    """The content of a file as UTF-8 without a byte order mark. Without an `encoding` it has to be
    UTF-8. Raises UnreadableTextError; `table` is named in its hints."""
    lines = 1
    decoder = codecs.getincrementaldecoder(encoding or "utf-8")("strict")
    with _opened(path) as stream:
        block = stream.read(BLOCK)
        _check_beginning(block, encoding, table)
        while block.startswith(codecs.BOM_UTF8):  # programs that add one may do so twice
            block = block.removeprefix(codecs.BOM_UTF8)
        while True:
            if encoding is not None or not block.isascii() or decoder.getstate()[0]:
                block = _decoded(decoder, block, lines, encoding, table)
            if b"\0" in block:
                raise UnreadableTextError(
                    "The line has a NUL byte: the file is damaged, or of an encoding such as "
                    "UTF-16.",
                    lines + block[: block.index(b"\0")].count(b"\n"),
                    _how_to_state("utf-16", table),
                )
            lines += block.count(b"\n")
            yield block
            block = stream.read(BLOCK)
            if not block:
                break
        yield _decoded(decoder, b"", lines, encoding, table, final=True)


_LINE = re.compile(rb"[^\n\r]*(?:\r\n|\n|\r)")


def from_line(blocks: Iterable[bytes], number: int) -> Iterator[bytes]:
    """The content from a line on, which is counted from 1 and lies in the first block."""
    stream = iter(blocks)
    first, position = next(stream, b""), 0
    for _ in range(number - 1):
        passed = _LINE.match(first, position)
        position = passed.end() if passed else len(first)
    yield first[position:]
    yield from stream


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """A file's content, decompressed. Raises UnreadableTextError where it is cut off."""
    try:
        if is_compressed(path):
            with gzip.open(path) as compressed:
                yield cast(BinaryIO, compressed)
        else:
            with path.open("rb") as stream:
                yield stream
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableTextError(
            f"The file is not a complete gzip file: {error}.", None, "Copy it again.", "RS006"
        ) from error


def _check_beginning(block: bytes, encoding: str | None, table: str) -> None:
    for beginning, form in _FORMS.items():
        if block.startswith(beginning):
            hint = "Give the file the ending of what it is, or export it as text."
            raise UnreadableTextError(f"The file is {form}, and no text.", None, hint, "RS006")
    if block.startswith(b"\x1f\x8b"):
        hint = "Give it the ending .gz, or unpack it."
        raise UnreadableTextError("The file is compressed.", None, hint, "RS006")
    if block.startswith(codecs.BOM_UTF8):
        if not is_utf8(encoding):
            raise UnreadableTextError(
                f'The file says that it is UTF-8, and riskseg.toml that it is "{encoding}".',
                1,
                f"Remove `encoding` from [source.{table}.read].",
            )
        return
    for mark, name in _MARKS.items():
        if block.startswith(mark) and encoding is None:
            raise UnreadableTextError(
                f"The file is {name.upper()} text, and no UTF-8.", 1, _how_to_state(name, table)
            )


def _decoded(
    decoder: codecs.IncrementalDecoder,
    block: bytes,
    lines: int,
    encoding: str | None,
    table: str,
    *,
    final: bool = False,
) -> bytes:
    """A block as UTF-8; `lines` is the number of the line on which it begins."""
    try:
        return decoder.decode(block, final).encode()
    except UnicodeDecodeError as error:
        line = lines + error.object[: error.start].count(b"\n")
        byte = error.object[error.start : error.start + 1]
        if encoding is not None:
            raise UnreadableTextError(
                f"The byte 0x{byte.hex().upper()} does not belong to the encoding {encoding}, "
                "which riskseg.toml states.",
                line,
                f"Correct `encoding` in [source.{table}.read], or save the file again.",
            ) from error
        meant = byte.decode("cp1252", "replace")
        reading = f' (there it is "{meant}")' if meant.isprintable() and meant != "\ufffd" else ""
        raise UnreadableTextError(
            f"The byte 0x{byte.hex().upper()} is not UTF-8: the file is windows-1252 (latin-1) or "
            f"another encoding of single bytes{reading}.",
            line,
            _how_to_state("windows-1252", table),
        ) from error
    except UnicodeError as error:  # UTF-16 without a byte order mark, for instance
        raise UnreadableTextError(
            f"The file is not of the encoding {encoding}, which riskseg.toml states: {error}.",
            None,
            f"Correct `encoding` in [source.{table}.read].",
        ) from error


def _how_to_state(encoding: str, table: str) -> str:
    return f'Save it as "CSV UTF-8", or set `encoding = "{encoding}"` in [source.{table}.read].'
