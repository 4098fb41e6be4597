"""The lines of a TOML file's keys, whatever its texts hold."""

from __future__ import annotations

import pytest

from riskseg.domain.toml_text import toml_lines

QUOTES = ('"""', "'''")


@pytest.mark.parametrize("quotes", QUOTES)
def test_a_key_inside_a_text_is_none(quotes: str) -> None:
    text = f"""\
[source.bills]
from = {quotes}
select *, # due_on = 1
due_on = x
[source.bills]
from 'bills.csv'
{quotes}
amount = "a # b"
due_on = "due"
"""
    lines = toml_lines(text)
    bills = ("source", "bills")
    assert [lines[(*bills, key)] for key in ("from", "amount", "due_on")] == [2, 8, 9]
    assert lines[bills] == 1


def test_an_escaped_quote_ends_no_text() -> None:
    lines = toml_lines('a = """x \\""" y\nb = 1"""\nb = 2\n')
    assert (lines[("a",)], lines[("b",)]) == (1, 3)
