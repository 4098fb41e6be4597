"""What a person says of a column of an account file: its words, direction, unit, labels, codes.

The same keys stand in riskseg.toml, under `[source.accounts.columns.NAME]`, and in an entry of
models/features.yaml that has the name of an attribute.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from riskseg.domain.documents import Document, Shape
from riskseg.domain.facts import Fact, Kind, worded
from riskseg.domain.problems import Problems, did_you_mean

MOST_CODE = 10**15


def code_text(value: Any) -> str:
    """The one spelling of a value that has a label: 96, 96.0 and "96" are the same."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float | Decimal):
        number = Decimal(str(value))
        return f"{number.normalize():f}" if number else "0"
    return str(value)


def _number(text: str) -> float | None:
    try:
        number = Decimal(text)
    except ArithmeticError:
        return None
    return float(number) if number.is_finite() and abs(number) <= MOST_CODE else None


def _spelt(value: object) -> object:
    """Keys as texts: YAML has numbers and truth values there, TOML texts."""
    if not isinstance(value, dict):
        return value
    spelt = [code_text(written_key) for written_key in value]
    if twice := {written_key for written_key in spelt if spelt.count(written_key) > 1}:
        raise ValueError(f"{min(twice)} occurs twice")
    return dict(zip(spelt, value.values(), strict=True))


def _codes(value: object) -> object:
    """Codes as texts, whether listed or given a label each."""
    if isinstance(value, list):
        return dict.fromkeys(map(code_text, value), "")
    return _spelt(value)


Labels = Annotated[dict[str, str], BeforeValidator(_spelt)]
Codes = Annotated[dict[str, str], BeforeValidator(_codes)]


class ColumnShape(Shape):
    """What is said of one column; what is left out is not said.

    `labels` give what people call a value. `special_values` are numbers that are codes, listed or
    with a label each. `unit` is `money`, `share` (0.25 is 25%), `percent` (25 is 25%), or a word
    such as days.
    """

    words: str = ""
    direction: Literal["+", "-"] | None = None
    unit: str = ""
    labels: Labels = Field(default_factory=dict)
    special_values: Codes = Field(default_factory=dict)
    family: str = ""
    protected: bool | None = None

    @field_validator("words", "unit", "family")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if "\n" in value:
            raise ValueError("it should be one line")
        return value


@dataclass(frozen=True)
class Column:
    """What is said of a column, and where: `path` leads to it in the document."""

    shape: ColumnShape
    document: Document
    path: tuple[str | int, ...]

    def at(self, *keys: str | int) -> dict[str, Any]:
        """The file and line of a Problem."""
        return self.document.at(*self.path, *keys)


def described(fact: Fact, columns: Iterable[Column], problems: Problems) -> Fact:
    """The fact with all that is said of it. What cannot be is added as Problems: a text with a
    direction, a label of a value it cannot have, two places that say different things."""
    for column in columns:
        before = len(problems)
        _check(fact, column, problems)
        if len(problems) == before:
            fact = _with(fact, column.shape)
    return fact


def check_agreement(name: str, first: Column, second: Column, problems: Problems) -> None:
    """Add RS503 for each key of which two places say different things."""
    for key in sorted(first.shape.model_fields_set & second.shape.model_fields_set):
        if getattr(first.shape, key) != getattr(second.shape, key):
            first_file = first.document.file
            line = first.document.line(*first.path, key)
            problems.add(
                "RS503",
                f'`{key}` of "{name}" is declared differently in {first_file}:{line}.',
                hint="Keep one of them.",
                **second.at(key),
            )


def _with(fact: Fact, shape: ColumnShape) -> Fact:
    labels = {**dict(fact.labels), **shape.labels}
    labels |= {code: label for code, label in shape.special_values.items() if label}
    special_codes = {*fact.special_values, *(float(code) for code in shape.special_values)}
    unit = shape.unit or fact.unit
    words = shape.words or fact.words
    return replace(
        fact,
        words=_with_unit(words, unit) if shape.words or shape.unit else words,
        unit=unit,
        direction={"+": 1, "-": -1, None: fact.direction}[shape.direction],
        labels=tuple(sorted(labels.items())),
        special_values=tuple(sorted(special_codes)),
        family=shape.family or fact.family,
        protected=fact.protected if shape.protected is None else shape.protected,
    )


# Units that are part of how a value is shown, or of which there is no more to say.
_SHOWN = ("", "money", "share", "percent", "ratio", "date")


def _with_unit(words: str, unit: str) -> str:
    """The words with the unit after the value, unless they have it there already."""
    _, value, text_after = words.partition("{value}")
    singular = unit.removesuffix("s")
    names_unit = worded(text_after.lstrip(), one=True).startswith(singular) if singular else True
    if not value or unit in _SHOWN or names_unit:
        return words
    singular_text = f"{{{singular}|{unit}}}" if unit.endswith("s") else unit
    return words.replace("{value}", f"{{value}} {singular_text}", 1)


def _check(fact: Fact, column: Column, problems: Problems) -> None:
    shape, fact_name = column.shape, fact.name

    def wrong(key: str, fault_text: str, hint: str, code: str = "RS304") -> None:
        key_path = key.split(".", 1)
        problems.add(code, fault_text, hint=hint, **column.at(*key_path))

    if fact.kind.is_textual or fact.kind is Kind.DATE:
        if shape.direction:
            fault_text = f'"{fact_name}" is a {fact.kind}: it has no direction of risk.'
            wrong(
                "direction", fault_text, "Only a number, or a fact that is true or false, has one."
            )
        if shape.unit:
            wrong("unit", f'"{fact_name}" is a {fact.kind}: it has no unit.', "Remove `unit`.")
    if shape.special_values and not fact.kind.is_numeric:
        fault_text = f'"{fact_name}" is a {fact.kind}: special values are numbers among others.'
        wrong("special_values", fault_text, "Give its values `labels` instead.")
    elif shape.special_values:
        for code in shape.special_values:
            if _number(code) is None:
                fault_text = f'The special value "{code}" of "{fact_name}" is not a number.'
                wrong(
                    "special_values", fault_text, "Write a code as it stands in the column, as 999."
                )
    if fact.kind is Kind.BOOLEAN and shape.unit:
        wrong("unit", f'"{fact_name}" is true or false: it has no unit.', "Remove `unit`.")
    for key in shape.labels:
        if fact.kind is Kind.LEVEL and key not in fact.levels:
            fault_text = f'"{fact_name}" has no level "{key}", which is given a label.'
            wrong(f"labels.{key}", fault_text, did_you_mean(key, fact.levels), "RS205")
        elif fact.kind.is_numeric and _number(key) is None:
            fault_text = f'"{fact_name}" is a number, and the label\'s value "{key}" is none.'
            wrong(f"labels.{key}", fault_text, "Write the number that stands in the column.")
        elif fact.kind is Kind.BOOLEAN and key not in ("true", "false"):
            fault_text = f'"{fact_name}" is true or false, and has no value "{key}".'
            wrong(f"labels.{key}", fault_text, "Give labels to true and false.")
        elif fact.kind is Kind.DATE:
            wrong(
                f"labels.{key}", f'"{fact_name}" is a date: it has no labels.', "Remove `labels`."
            )
    for code, label in shape.special_values.items():
        if label and shape.labels.get(code, label) != label:
            fault_text = f'The special value {code} of "{fact_name}" has two labels.'
            wrong(f"labels.{code}", fault_text, "Keep one of them.", "RS503")


def values_meant(fact: Mapping[str, Any]) -> str:
    """What values of a fact, as a model's manifest has it, mean: its labels, and codes without
    one. Empty where nothing is said."""
    labels = fact.get("labels") or {}
    meant = [f"{labelled_value} is {label}" for labelled_value, label in labels.items()]
    code_texts = map(code_text, fact.get("special_values") or ())
    meant += [f"{code} is a code" for code in code_texts if code not in labels]
    return f" ({', '.join(meant)})" if meant else ""
