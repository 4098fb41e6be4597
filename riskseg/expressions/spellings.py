"""How spreadsheets, word processors and other languages write what this language writes otherwise.

Most of these signs have one meaning, so a Problem about them shows the whole expression as it
should be. None is replaced in silence: a comma in a number may separate thousands or decimals.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

_QUOTED = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"")
_CURRENCIES = "£€¥₹"


@dataclass(frozen=True)
class _Spelling:
    """A sign, why it is not read, and what it is written as; None where the author must choose,
    with `hint` as what to choose from."""

    sign: re.Pattern[str]
    reason: str
    written: Callable[[re.Match[str]], str] | None
    hint: Callable[[re.Match[str]], str] | None = None


def _always(text: str) -> Callable[[re.Match[str]], str]:
    return lambda _: text


def _sign(pattern: str, written: str) -> _Spelling:
    return _Spelling(re.compile(pattern), "is not a sign of the language", _always(written))


def _words(pattern: str, sign: str) -> _Spelling:
    return _Spelling(
        re.compile(rf"\b{pattern}\b", re.IGNORECASE), "is written as a sign", _always(sign)
    )


def _percent(match: re.Match[str]) -> str:
    share = f"{(Decimal(match[1]) / 100).normalize():f}"
    return (
        f"Write {share} where the fact is a share between 0 and 1, {match[1]} where it counts "
        f"percents, or `{share} * FACT` for a share of an amount."
    )


_NUMBER = r"(\d+(?:\.\d+)?)"
# Signs that no expression of the language holds outside quotes.
_FOREIGN = (
    _Spelling(re.compile("[‘’‚“”„]"), "is a quotation mark of a word processor", _always("'")),
    _sign("≥|=>|⩾", ">="),
    _sign("≤|=<|⩽", "<="),
    _sign("≠|=!", "<>"),
    _sign(r"\s*&&?\s*", " and "),
    _sign(r"!\s*(?![=\s])", "not "),
    _sign("[–—−]", "-"),
    _sign("×", "*"),
    _sign("÷", "/"),
    _Spelling(
        re.compile(rf"[{_CURRENCIES}]\s*(?=\d)|\$\s*(?=\d)|(?<=\d)\s*[{_CURRENCIES}]"),
        "is a currency sign, and amounts are plain numbers",
        _always(""),
    ),
    _Spelling(
        re.compile(r"\b(\d{4}-\d\d-\d\d)\b"),
        "is a date without quotes",
        lambda match: f"date '{match[1]}'",
    ),
    _Spelling(
        re.compile(r"\b\d{1,2}([/.])\d{1,2}\1\d{4}\b"),
        "is not how a date is written",
        None,
        lambda _: "Write the year first: `date '2026-01-31'`.",
    ),
    _Spelling(
        re.compile(r"\b\d+(?:_\d+)+\b"),
        "is a number with underscores",
        lambda match: match[0].replace("_", ""),
    ),
    _Spelling(
        re.compile(
            rf"\b{_NUMBER}\s*%(?=\s*(?:$|\)|,|and\b|or\b|then\b|else\b|end\b))", re.IGNORECASE
        ),
        "is a percentage, and numbers are written without a percent sign",
        None,
        _percent,
    ),
)
# Signs that separate values where an expression can be read.
_UNREADABLE = (
    _Spelling(
        re.compile(r"\b\d{1,3}(?:\.\d{3})+,\d+\b"),
        "is a number with a decimal comma",
        lambda match: match[0].replace(".", "").replace(",", "."),
    ),
    _Spelling(
        re.compile(r"\b\d{1,3}(?:[, ]\d{3})+(?:\.\d+)?\b"),
        "is a number with separated thousands",
        lambda match: re.sub("[, ]", "", match[0]),
    ),
    _Spelling(
        re.compile(r"\b\d+,\d+\b"),
        "is a number with a decimal comma",
        lambda match: match[0].replace(",", "."),
    ),
    _Spelling(
        re.compile(
            rf"\b{_NUMBER}\s*(?:days?|weeks?|months?|years?|bills?|gbp|eur|usd)\b", re.IGNORECASE
        ),
        "is a number with a unit, and numbers stand alone",
        lambda match: match[1],
    ),
    _words(r"(?:is\s+)?(?:greater|more|higher)\s+than", ">"),
    _words(r"(?:is\s+)?(?:less|fewer|lower)\s+than", "<"),
    _words(r"(?:is\s+)?at\s+least", ">="),
    _words(r"(?:is\s+)?at\s+most", "<="),
)


@dataclass(frozen=True)
class Foreign:
    """What is wrong with an expression's spelling, and what to write."""

    what: str
    hint: str


def foreign(text: str, shown: Callable[[str], str], *, unreadable: bool = False) -> Foreign | None:
    """The first sign of another language in the expression, or None. `unreadable` says that the
    expression could not be read: signs that mean something elsewhere are looked for as well."""
    spellings = (*_FOREIGN, *_UNREADABLE) if unreadable else _FOREIGN
    unquoted = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), text)
    matches = (
        (match.start(), spelling, match)
        for spelling in spellings
        for match in [spelling.sign.search(unquoted)]
        if match
    )
    first = min(matches, key=lambda found: found[0], default=None)
    if first is None:
        return None
    _, spelling, match = first
    what = f'{shown(text)} cannot be read: "{match[0].strip()}" {spelling.reason}.'
    if spelling.hint is not None:
        return Foreign(what, spelling.hint(match))
    repaired = "".join(_repaired(text, spellings))
    return Foreign(what, f"Write {shown(repaired)}.")


def _repaired(text: str, spellings: tuple[_Spelling, ...]) -> Iterator[str]:
    """The parts of the expression in the signs of the language; what is in quotes stays."""
    end = 0
    for quoted in _QUOTED.finditer(text):
        yield _replaced(text[end : quoted.start()], spellings)
        yield quoted[0]
        end = quoted.end()
    yield _replaced(text[end:], spellings)


def _replaced(part: str, spellings: tuple[_Spelling, ...]) -> str:
    for spelling in spellings:
        if spelling.written is not None:
            part = spelling.sign.sub(spelling.written, part)
    return part
