"""The line of every key, table and entry of a TOML file: tomllib keeps no positions."""

from __future__ import annotations

import re
import tomllib

Path_ = tuple[str | int, ...]

_SPACE = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_EQUALS = re.compile(r"[ \t]*=[ \t]*")
_COMMA = re.compile(r",")
_OPENS, _CLOSES = re.compile(r"\[\[?"), re.compile(r"\]\]?")
_BRACKET, _BRACKETED = re.compile(r"\["), re.compile(r"\]")
_BRACE, _BRACED = re.compile(r"\{"), re.compile(r"\}")
_KEY = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'|[A-Za-z0-9_-]+')
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_BARE = re.compile(r"[^,\]}\n#]+")


def toml_lines(text: str) -> dict[Path_, int]:
    """The lines, by path, of text that tomllib has read, and that is not nested deeply."""
    reading = _Lines(text.replace("\r\n", "\n"))
    reading.read()
    return reading.lines


class _Lines:
    """One passage over a text. It is TOML: nothing is judged here."""

    def __init__(self, text: str) -> None:
        self._text, self._at, self._line = text, 0, 1
        # The tables of an array so far, by its path.
        self._tables: dict[Path_, int] = {}
        self.lines: dict[Path_, int] = {(): 1}

    def read(self) -> None:
        table: Path_ = ()
        self._take(_SPACE)
        while self._at < len(self._text):
            if opened := self._take(_OPENS):
                table = self._head(self._key(), another=opened == "[[")
                self._place(table)
                self._take(_CLOSES)
            else:
                self._pair(table)
            self._take(_SPACE)

    def _head(self, key: list[str], *, another: bool) -> Path_:
        """The path of the table that a head names: of an array, its last one or another."""
        table_path: Path_ = ()
        for depth, key_part in enumerate(key, start=1):
            table_path = (*table_path, key_part)
            if another and depth == len(key):
                self._tables[table_path] = self._tables.get(table_path, 0) + 1
            if table_path in self._tables:
                table_path = (*table_path, self._tables[table_path] - 1)
        return table_path

    def _pair(self, table: Path_) -> None:
        path = (*table, *self._key())
        self._place(path)
        self._take(_EQUALS)
        self._value(path)

    def _key(self) -> list[str]:
        self._take(_BLANK)
        key_parts = [self._part()]
        while self._take(_DOT):
            key_parts.append(self._part())
        self._take(_BLANK)
        return key_parts

    def _part(self) -> str:
        part = self._needed(_KEY)
        return str(tomllib.loads(f"key = {part}")["key"]) if part[0] in "\"'" else part

    def _value(self, path: Path_) -> None:
        if self._take(_BRACKET):
            self._take(_SPACE)
            index = 0
            while not self._take(_BRACKETED):
                self._place((*path, index))
                self._value((*path, index))
                self._next()
                index += 1
        elif self._take(_BRACE):
            self._take(_SPACE)
            while not self._take(_BRACED):
                self._pair(path)
                self._next()
        elif not self._take(_STRING):
            self._needed(_BARE)

    def _next(self) -> None:
        self._take(_SPACE)
        self._take(_COMMA)
        self._take(_SPACE)

    def _place(self, path: Path_) -> None:
        for depth in range(1, len(path) + 1):
            self.lines.setdefault(path[:depth], self._line)

    def _needed(self, pattern: re.Pattern[str]) -> str:
        text = self._take(pattern)
        assert text, f"line {self._line} is not the TOML it was taken for"
        return text

    def _take(self, pattern: re.Pattern[str]) -> str:
        matched = pattern.match(self._text, self._at)
        matched_text = matched[0] if matched else ""
        self._at += len(matched_text)
        self._line += matched_text.count("\n")
        return matched_text
