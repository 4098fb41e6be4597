"""Helpers for wording messages: articles, plurals, lists of names, amounts of money."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

# Control characters and breaks of lines or paragraphs, which break tables; and what is no text.
_NOT_IN_A_LINE = {"Cc", "Cs", "Zl", "Zp"}

# What is said where nothing can be named as a reason why the risk is higher.
NOTHING_RAISES_RISK = "nothing in particular raises the risk"

# Words for a day wherever one is given, and how many days ago it was. They are resolved where they
# are given; what runs, and what is written, is the date.
DAYS_AGO = {"today": 0, "yesterday": 1}


def with_article(noun: str) -> str:
    """`a text`, `an integer`."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def counted(number: int, noun: str, nouns: str = "") -> str:
    """`1 row`, `2 rows`; `nouns` is the plural where it is not formed by an s."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def first_few(names: Sequence[str], most: int = 6) -> str:
    """Names separated by commas; of many, the first few and how many more there are."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def money(amount: Any, currency: str = "", scale: int = 2) -> str:
    """An amount as it is shown everywhere: `GBP 1,374.00`; without a currency, the number."""
    return f"{currency} {amount:,.{scale}f}".strip()


def is_one_line(text: str) -> bool:
    """Whether it is a single line of text, without control characters."""
    return not any(unicodedata.category(c) in _NOT_IN_A_LINE for c in text)
