"""Whether the columns of today's sources are of the kinds that a model learned from.

The same row must have the same probability in a file of a million rows and alone. So the model's
artefact says what kind a feature is, and a column that cannot be read as that kind is a Problem.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from riskseg.domain.facts import Fact, Kind, folded
from riskseg.domain.problems import Problems
from riskseg.domain.relations import fact_column, quoted
from riskseg.engine import Engine
from riskseg.pipeline.frames import model_columns


def feature_columns(features: Iterable[Fact], facts: Mapping[str, Fact]) -> str:
    """The select list of a model's features as the model takes them: numbers as doubles, texts as
    they are. A column that is empty today is text, and is still a number to the model."""
    return ", ".join(_feature_column(feature, facts[folded(feature.name)]) for feature in features)


def _feature_column(feature: Fact, today: Fact) -> str:
    if feature.kind.is_textual or today.kind.is_numeric or today.kind is Kind.BOOLEAN:
        as_learned = replace(today, kind=Kind.TEXT if feature.kind.is_textual else Kind.NUMBER)
        return model_columns([feature.name], {folded(feature.name): as_learned})
    return f"cast({_converted(feature, today)} as double) as {quoted(feature.name)}"


def _converted(feature: Fact, today: Fact) -> str:
    """A text, or a date, as the number or truth value that the model learned from."""
    return f"try_cast(cast({fact_column(today.name)} as varchar) as {_sql_kind(feature)})"


def _sql_kind(feature: Fact) -> str:
    return "boolean" if feature.kind is Kind.BOOLEAN else "double"


def _unreadable(feature: Fact, today: Fact) -> str | None:
    """SQL: whether a value that is not null cannot be what the model learned from; None where every
    value of today's kind can."""
    column = fact_column(today.name)
    if feature.kind.is_textual:
        # "Yes" that was read as true is another level than "Yes", and 01 that was read as 1 is
        # another than "01".
        return None if today.kind.is_textual else "true"
    if today.kind is Kind.BOOLEAN:
        return None if feature.kind is Kind.BOOLEAN else "true"
    if today.kind.is_numeric:
        return f"{column} not in (0, 1)" if feature.kind is Kind.BOOLEAN else None
    return f"{_converted(feature, today)} is null"


def check_kinds(
    engine: Engine,
    model: str,
    features: Iterable[Fact],
    facts: Mapping[str, Fact],
    *,
    relation: str,
    condition: str = "true",
    problems: Problems,
) -> None:
    """Add RS102 for each feature of a model whose column in `relation` holds a value, where the
    condition is met, that is none of the kind the model learned from."""
    checked = {
        feature.name: (feature, facts[folded(feature.name)], unreadable)
        for feature in features
        if folded(feature.name) in facts
        and (unreadable := _unreadable(feature, facts[folded(feature.name)])) is not None
    }
    if not checked:
        return
    counts = ", ".join(
        f"count(*) filter (where {column} is not null and {unreadable}), "
        f"min(cast({column} as varchar)) filter (where {unreadable})"
        for _, today, unreadable in checked.values()
        for column in [fact_column(today.name)]
    )
    found = engine.rows(f"select {counts} from {relation} where {condition}")[0]
    for (feature, today, _), count, example in zip(
        checked.values(), found[::2], found[1::2], strict=True
    ):
        if count:
            accounts = "1 account holds" if count == 1 else f"{count:,} accounts hold"
            problems.add(
                "RS102",
                f'{model} learned from "{feature.name}" as {feature.kind}, and today its column '
                f'is {today.kind}: {accounts} something else, such as "{example}".',
                hint=_hint(feature),
            )


def _hint(feature: Fact) -> str:
    if feature.kind.is_textual:
        return (
            "Have the column read as text: name the CSV file without a select, or give its type in "
            f"the select: `read_csv('FILE', types = {{'{feature.name}': 'VARCHAR'}})`."
        )
    return (
        "Correct the file, or map the column in [source.accounts]: "
        f'`{feature.name} = "try_cast({feature.name} as {_sql_kind(feature)})"`.'
    )
