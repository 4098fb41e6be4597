"""YAML is read the same with libyaml and without: data, lines and Problems; and what does not fit
is reported as its file shows it."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import pytest
import yaml
from pydantic import Field, RootModel, field_validator

from riskseg.domain import yaml_text
from riskseg.domain.documents import Shape, parse_toml, parse_yaml
from riskseg.domain.problems import Problems
from riskseg.workspace.authored import Top

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("rules/*/*.yaml"), *ROOT.glob("models/*.yaml")])
# What people and editors put into such files, and what YAML has that hardly anybody knows.
BITS = [
    *":-,[]{}#&*!|>'\"%@`?~.=<\\/\t\n",
    *("\n  ", "- ", ": ", "? ", "---\n", "...\n", "<<: ", "*x", "&x ", "!!str ", "|\n"),
    *(">#", "{a:1}", "[a:b]", "{a:}", "{?a: b}", ' "a":b', "\r\n", "\u2028", "\x85", "\ufeff"),
    *("é", "\U0001f600", "a: a\na: b", "2026-13-01", "\x00"),
]
ODD = ["- a?b: [c?]", "[!1, 2]", "a: |#c\n  x", "a:\tb", "a: 'b\rc'", "%YAML 1.1\n---\na: b"]


def read(text: str) -> tuple[Any, ...]:
    problems = Problems()
    document = parse_yaml(text, "f.yaml", problems)
    found = (document.data, document.lines, document.blank) if document else None
    return repr(found), [str(problem) for problem in problems]


def mutated(rng: random.Random) -> str:
    lines = rng.choice(FILES).read_text().splitlines(keepends=True)
    first = rng.randrange(len(lines))
    text = "".join(lines[first : first + rng.randint(1, 12)])
    for _ in range(rng.randint(0, 3)):
        at = rng.randrange(len(text) + 1)
        gone = rng.choice([0, 0, 1, 3])
        text = text[:at] + rng.choice(BITS) + text[at + gone :]
    return text


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="PyYAML is built without libyaml")
def test_libyaml_reads_as_the_pure_reader_does(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(7)  # noqa: S311
    texts = [*ODD, *(file.read_text() for file in FILES), *(mutated(rng) for _ in range(1500))]
    quick = [read(text) for text in texts]
    with monkeypatch.context() as patched:
        patched.setattr(yaml_text.yaml, "__with_libyaml__", False)
        slow = [read(text) for text in texts]
    for text, one, other in zip(texts, quick, slow, strict=True):
        assert one == other, text
    assert sum(problems == [] for _, problems in quick) > 500
    # The test would show nothing if libyaml were never asked.
    assert any(not yaml_text._ODD.search(text) for text in texts)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a: 1\nb: 2026-02-30", 2, '"2026-02-30" is not a day of the calendar'),
        ("a: 1\nb: [3, 1e999999]", 2, '"1e999999" has too many digits'),
        ("a: 1\nb:\n  c: x\0y", 3, "the character U+0000"),
    ],
)
@pytest.mark.parametrize("fast", [True, False])
def test_what_cannot_be_a_value_has_a_line(
    text: str, line: int, what: str, fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yaml_text.yaml, "__with_libyaml__", fast and yaml.__with_libyaml__)
    problems = Problems()
    assert parse_yaml(text, "f.yaml", problems) is None
    [one] = problems
    assert (one.code, one.line) == ("RS002", line)
    assert what in one.what and one.hint


class Inner(Shape):
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
    on: date | None = None
    cut: Decimal | None = None

    @field_validator("cut", mode="before")
    @classmethod
    def _exact(cls, value: object) -> object:
        return Decimal(str(value)) if isinstance(value, float) else value


class Outer(RootModel[list[Inner]]):
    pass


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        (
            "{name: x, on: 2026-03-01 10:00:00}",
            "\"on\" cannot be '2026-03-01 10:00:00': it should be",
        ),
        ("{name: x, cut: .nan}", '"cut" cannot be .nan: it should be a finite number.'),
        ("{name: x, cut: -.inf}", '"cut" cannot be -.inf: it should be a finite number.'),
        ("{name: true}", '"name" cannot be true: it should be text.'),
        ("{name: 2026-03-01}", '"name" cannot be 2026-03-01: it should be text.'),
        ("{name: ../x}", "a name is small letters, digits, underscores and hyphens, a letter"),
        ("3", "An entry cannot be 3: it should be a mapping of keys to values."),
    ],
)
def test_what_does_not_fit_is_reported_in_words_of_the_file(entry: str, what: str) -> None:
    problems = Problems()
    document = parse_yaml(f"- {{name: first}}\n- {entry}", "f.yaml", problems)
    assert document is not None and document.shaped(Outer, problems) is None
    [one] = problems
    assert (one.code, one.line) == ("RS004", 2)
    assert what in one.what


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_a_file_that_is_nested_too_deeply(opening: str) -> None:
    problems = Problems()
    assert parse_yaml(opening * 100_000, "f.yaml", problems) is None
    [one] = problems
    assert (one.code, "too deeply" in one.what) == ("RS002", True)


@pytest.mark.parametrize(
    ("written", "reported"),
    [
        ('[source.payments.expect]\nnewst = "3 days"', 'Did you mean "newest"?'),
        ('[source.payments.read]\nencodng = "x"', 'Did you mean "encoding"?'),
        ('[source.accounts.columns.hue]\nlabl = "x"', 'Did you mean "labels"?'),
        ('[source.payments.expect]\nhue = "x"', "newest, rows, sum"),
        ('[source.payments.expect]\nnewest = "3"', "a number of days, such as `3 days`"),
        ("[source.payments.expect]\nnewest = 3", "a number of days, such as `3 days`"),
        ('[source.payments.expect]\nsum = "1.000..50.000"', '"1.000" can be read in two ways'),
    ],
)
def test_a_subtable_knows_its_own_keys(written: str, reported: str) -> None:
    problems = Problems()
    document = parse_toml(written, "riskseg.toml", problems)
    assert document is not None and document.shaped(Top, problems) is None
    [one] = problems
    assert reported in f"{one.what} {one.hint}"
