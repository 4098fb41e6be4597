"""Attributes of accounts and bills as facts: what sources hold, and what files say of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskseg.domain.columns import Column, check_agreement, described
from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems, did_you_mean
from riskseg.domain.relations import fact_column
from riskseg.features.feature import BillAttribute
from riskseg.ledger.mapping import Mapped
from riskseg.pipeline.staged_answers import StagedAnswers
from riskseg.sources.describe import kind_of
from riskseg.workspace import Source, Workspace

# More distinct texts than this are names, not levels.
MOST_LEVELS = 64


def attributes_of(
    answers: StagedAnswers,
    workspace: Workspace,
    sources: Mapping[str, Mapped],
    table: str,
    problems: Problems,
) -> dict[str, Fact]:
    """The attributes of a table as facts. Any may be unknown: today's data without nulls is no
    promise. A text has levels only where riskseg.toml declares them, or tomorrow's file could
    change them. What is known of an account's row without a date is known as of today only."""
    if table not in sources:
        return {}
    mapped = sources[table]
    declared = workspace.settings.sources[table].levels
    of = "" if table == "accounts" else " of the latest bill"
    dated = table == "bills" or mapped.has("valid_from") or mapped.has("observed_on")
    facts = {}
    for attribute_name in mapped.attributes:
        kind = kind_of(mapped.types[attribute_name])[0]
        facts[attribute_name] = Fact(
            attribute_name,
            Kind.LEVEL if kind is Kind.TEXT and attribute_name in declared else kind,
            nullable=True,
            levels=declared.get(attribute_name, ()) if kind is Kind.TEXT else (),
            words=f"{attribute_name}{of} is {{value}}",
            family=attribute_name,
            source=table,
            static=not dated,
            seen=_seen(answers, table, attribute_name) if kind is Kind.TEXT else (),
        )
    _check_levels(workspace, table, facts, problems)
    return facts


def bill_attributes_of(
    answers: StagedAnswers, workspace: Workspace, sources: Mapping[str, Mapped], problems: Problems
) -> tuple[BillAttribute, ...]:
    """The attributes of bills as facts, with what riskseg.toml says of them and where."""
    if "bills" not in sources:
        return ()
    facts = attributes_of(answers, workspace, sources, "bills", problems)
    source = workspace.settings.sources["bills"]
    described_columns = {
        bill_attribute: [column] for bill_attribute, column in source.described.items()
    }
    facts |= described_attributes(source, described_columns, facts, facts, problems)
    written_names = sources["bills"].written
    line_by_fact = {
        bill_attribute: source.lines.get(written_names[bill_attribute]) or source.lines.get("from")
        for bill_attribute in facts
    }
    return tuple(
        BillAttribute(fact, source.file, line_by_fact[bill_attribute])
        for bill_attribute, fact in facts.items()
    )


def _seen(answers: StagedAnswers, table: str, attribute: str) -> tuple[str, ...]:
    """The texts that a table's rows hold; none where they are too many to be levels."""
    column = fact_column(attribute)
    distinct_texts = answers.rows(
        f"""
        select distinct {column}
        from ledger_{table}
        where {column} is not null
        order by 1
        limit {MOST_LEVELS + 1}
        """
    )
    return (
        tuple(distinct_text for (distinct_text,) in distinct_texts)
        if len(distinct_texts) <= MOST_LEVELS
        else ()
    )


def _check_levels(
    workspace: Workspace, table: str, facts: Mapping[str, Fact], problems: Problems
) -> None:
    """Add a Problem for each declaration of levels that is about no text of a table."""
    source = workspace.settings.sources[table]
    for attribute in source.levels:
        if attribute not in facts and source.excuses(attribute):
            continue
        declared_at: dict[str, Any] = {
            "file": source.file,
            "line": source.level_lines[attribute],
        }
        if attribute not in facts:
            message = f'{table} have no attribute "{attribute}", whose levels are declared.'
            problems.add("RS501", message, **declared_at, hint=did_you_mean(attribute, facts))
        elif facts[attribute].kind is not Kind.LEVEL:
            message = f'"{attribute}" is a {facts[attribute].kind}; only a text has levels.'
            hint = f'Map it to a text: `{attribute} = "cast({attribute} as varchar)"`.'
            problems.add("RS304", message, **declared_at, hint=hint)


def described_attributes(
    source: Source,
    columns_by_attribute: Mapping[str, list[Column]],
    attributes: Mapping[str, Fact],
    facts: Mapping[str, Fact],
    problems: Problems,
) -> dict[str, Fact]:
    """The attributes that the source describes in `columns_by_attribute`, so described. Adds a
    Problem for each description of no attribute, and for one that does not fit."""
    facts_described = {}
    for attribute, columns in columns_by_attribute.items():
        if attribute not in attributes:
            if source.excuses(attribute):
                continue
            for column in columns:
                message = (
                    f'{source.table} have no attribute "{attribute}", which is described here.'
                )
                hint = did_you_mean(attribute, attributes)
                problems.add("RS501", message, hint=hint, **column.at())
        elif attribute in facts:
            if len(columns) > 1:
                check_agreement(attribute, columns[0], columns[1], problems)
            facts_described[attribute] = described(facts[attribute], columns, problems)
    return facts_described
