"""English that depends on what is put into a message."""

from __future__ import annotations


def with_article(noun: str) -> str:
    """`a text`, `an integer`."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def counted(number: int, noun: str, nouns: str = "") -> str:
    """`1 row`, `2 rows`; `nouns` is the plural where it is not formed by an s."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"
