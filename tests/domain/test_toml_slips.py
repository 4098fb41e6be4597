"""What people do wrong in riskseg.toml is named with its line, and what to write is TOML."""

from __future__ import annotations

import re
import tomllib

import pytest

from riskseg.domain.documents import parse_toml
from riskseg.domain.problems import Problem, Problems


def fault(line: str, *, below: str = "b = 1") -> Problem:
    problems = Problems()
    assert parse_toml(f"# a file\n{line}\n{below}\n", "f.toml", problems) is None
    [one] = problems
    assert (one.code, one.line) == ("RS002", 2)
    return one


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("a = 'don't pay'", "don't pay"),
        ("a = 'don't pay'  # isn't", "don't pay"),
        ('a = "he said "pay""', 'he said "pay"'),
        ('a = "case "Cust Ref" when \'x\' then 1 end"', "case \"Cust Ref\" when 'x' then 1 end"),
        ('a = "Cust Ref" || "x"', '"Cust Ref" || "x"'),
        ("a = GBP", "GBP"),
        ("a = due_on + 14  # days", "due_on + 14"),
        ("a = ‘GBP’", "GBP"),
        ("a = “it's”", "it's"),
    ],
)
def test_what_to_write_is_what_was_meant(line: str, meant: str) -> None:
    written = re.search(r"Write `(.*)`\.$", fault(line).hint)
    assert written and tomllib.loads(written[1]) == {"a": meant}


@pytest.mark.parametrize(
    ("line", "below"),
    [
        ('a = "GBP', "b = 1"),
        ("a = 'GBP", "b = 1"),
        ("a = 'GBP", "b = 'x'"),
        ('a = ["x", "y]', "b = 1"),
        ('a = "GBP', "# it's"),
    ],
)
def test_a_quote_that_is_not_closed(line: str, below: str) -> None:
    found = fault(line, below=below)
    sign = re.findall("[\"']", line)[-1]
    assert f"the quote {sign} in column {line.rindex(sign) + 1} is not closed" in found.what
    assert found.hint == f"Write {sign} at the end of the text."


def test_two_keys_on_a_line_are_no_text() -> None:
    found = fault('a = "x" kind = "y"')
    assert "a second key stands here: kind" in found.what and "line of its own" in found.hint


@pytest.mark.parametrize(("word", "value"), [("yes", "true"), ("No", "false"), ("True", "true")])
def test_a_word_for_true_or_false(word: str, value: str) -> None:
    assert fault(f"a = {word}").hint == f"Write `a = {value}`."


@pytest.mark.parametrize("line", ["a : 1", "a = 1 b = 2", "a =", "[a", 'a = """x'])
def test_other_slips_are_in_the_words_of_the_reader(line: str) -> None:
    problems = Problems()
    assert parse_toml(line, "f.toml", problems) is None
    [one] = problems
    assert one.what.startswith("This is not TOML: ") and "at line" not in one.what


@pytest.mark.parametrize("line", ["a = 5,50", "a = -5,50  # euros", "a = {b = 5,50}"])
def test_a_decimal_comma_is_written_as_a_point(line: str) -> None:
    problem = fault(line)
    assert "5,50 is a number with a decimal comma" in problem.what
    assert re.fullmatch(r"Write `[ab] = -?5\.50`\.", problem.hint)
