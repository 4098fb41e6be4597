"""What people do wrong in TOML, in their words: mostly quotes that are missing, not closed, or
within others of their kind. The reader says at which character it cannot go on, and of a quote
that is never closed only that the file ends."""

from __future__ import annotations

import re

from riskseg.domain.quotes import Slip, is_in_curly_quotes, text_meant

_KEY = r"[A-Za-z_][\w.-]*"
_QUOTED = re.compile(rf"\s*({_KEY})\s*=\s*(([\"']).*)$")
_BARE = re.compile(rf"\s*({_KEY})\s*=\s*([^\W\d].*?|[“„‘‚].*?)\s*(?:#.*)?$")
_BOOLEANS = {"yes": "true", "on": "true", "no": "false", "off": "false"}
_BOOLEANS |= {"true": "true", "false": "false"}
_NOT_CLOSED = (
    "Illegal character",
    "Found invalid character",
    "Unterminated string",
    "Expected \"'",
)
# A number with a decimal comma, as the value of a key; within a list a comma separates numbers.
_DECIMAL_COMMA = re.compile(rf"({_KEY})\s*=\s*([-+]?\d+),(\d+)\b")
# Whole texts in quotes.
_TEXTS = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'")


def slip_of(error: str, text: str) -> Slip:
    """A fault of the reader's, in the words of people who write such files."""
    place = re.search(r" \(at line (\d+), column (\d+)\)$", error)
    message = re.sub(r" \(at .*\)$", "", error)
    text_lines = text.splitlines()
    line = int(place[1]) if place else max(1, text.rstrip().count("\n") + 1)
    text_line = text_lines[line - 1] if line <= len(text_lines) else ""
    known_slip = _decimal_comma(text_line, line)
    if known_slip is not None:
        return known_slip
    if message.startswith(_NOT_CLOSED):
        known_slip = _not_closed(text_lines, line if place else None)
    elif message.startswith("Expected newline or end of document"):
        known_slip = _text_goes_on(text_line, line)
    elif message == "Invalid value":
        known_slip = _not_in_quotes(text_line, line)
    elif message.startswith("Unescaped"):
        hint = "Put the text between single quotes: a backslash is a backslash there."
        known_slip = Slip("a backslash stands within double quotes", line, hint)
    return known_slip or Slip(message, line, "")


def _not_closed(text_lines: list[str], line: int | None) -> Slip | None:
    """The first line, or the one that is known, in which a quote is left open."""
    if '"""' in "".join(text_lines) or "'''" in "".join(text_lines):
        return None  # texts of several lines: which quote is meant cannot be said
    for number, text_line in enumerate(text_lines, start=1):
        # Texts keep their length, so that columns stay.
        rest = _TEXTS.sub(lambda found: " " * len(found[0]), text_line).partition("#")[0]
        opened = re.search("[\"']", rest)
        if opened and line in (None, number):
            sign = opened[0]
            what = f"the quote {sign} in column {opened.start() + 1} is not closed"
            return Slip(what, number, f"Write {sign} at the end of the text.")
    return None


def _text_goes_on(text_line: str, line: int) -> Slip | None:
    found = _QUOTED.match(text_line)
    if found is None:
        return None
    key, whole, sign = found.groups()
    if second := re.match(rf"(?:{_TEXTS.pattern})\s+({_KEY})\s*=", whole):
        return Slip(
            f"a second key stands here: {second[1]}", line, "Begin it on a line of its own."
        )
    what = f"the text goes on behind its closing quote {sign}"
    return Slip(what, line, f"Write `{key} = {_quoted(text_meant(whole, sign))}`.")


def _decimal_comma(text_line: str, line: int) -> Slip | None:
    rest = _TEXTS.sub(lambda found: " " * len(found[0]), text_line).partition("#")[0]
    found = _DECIMAL_COMMA.search(rest)
    if found is None:
        return None
    key, whole, decimals = found.groups()
    hint = f"Write `{key} = {whole}.{decimals}`."
    return Slip(f"{whole},{decimals} is a number with a decimal comma", line, hint)


def _not_in_quotes(text_line: str, line: int) -> Slip | None:
    found = _BARE.match(text_line)
    if found is None:
        return None
    key, value = found.groups()
    if value.lower() in _BOOLEANS:
        return Slip(f"{value} is no value", line, f"Write `{key} = {_BOOLEANS[value.lower()]}`.")
    if is_in_curly_quotes(value):
        what = f"the quotation marks of {value} are those of a word processor"
        return Slip(what, line, f"Write `{key} = {_quoted(value[1:-1])}`.")
    return Slip(f"the text {value} is not in quotes", line, f"Write `{key} = {_quoted(value)}`.")


def _quoted(text: str) -> str:
    """A text as TOML: between single quotes where it has double ones alone."""
    if "'" not in text and ('"' in text or "\\" in text):
        return f"'{text}'"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
