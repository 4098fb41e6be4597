"""What people do wrong with quotes, whatever the form of the file."""

from __future__ import annotations

import re
from dataclasses import dataclass

_OPEN, _CLOSE = "“„‘‚", "”“’‘"


@dataclass(frozen=True)
class Slip:
    """What is wrong, on which line, and what helps."""

    what: str
    line: int | None
    hint: str


def is_in_curly_quotes(text: str) -> bool:
    """Whether a text as a whole stands in the quotation marks of a word processor."""
    return len(text) > 1 and text[0] in _OPEN and text[-1] in _CLOSE


def text_meant(whole: str, sign: str) -> str:
    """The text that somebody meant who wrote all this behind a key: without a comment, and without
    its outer quotes where they enclose it. In `"one" and "two"` they do not."""
    written = re.sub(rf"(?<={sign})\s+#.*", "", whole).rstrip()
    enclosed = len(written) > 1 and written.endswith(sign)
    if enclosed and re.fullmatch(rf"{sign}[^{sign}]*{sign}\s(.*\s)?{sign}.+", written):
        return written
    return written[1:-1] if enclosed else written
