"""The declared tables: what is really built is as declared, and every guarantee holds of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.domain.relations import Relation, fact_column, quoted
from riskseg.domain.tables import (
    BILL_FACTS,
    FACTS,
    LEDGER_ACTIONS,
    SNAPSHOTS,
    TABLES,
    ContractError,
    Table,
)
from riskseg.engine import DuckDB, Engine
from riskseg.expressions import check
from riskseg.expressions.assumptions import check_sql
from riskseg.ledger.allocation import bill_facts
from riskseg.pipeline.contracts import build, check_table
from riskseg.treatment.episodes import EPISODE_STARTED_ON, episodes
from tests.ledger.loading import LACKING, Loaded, random_ledger
from tests.ledger.random_accounts import AS_OF


def built(name: str) -> Engine:
    """The engine of a random ledger, with every declared table as of the ledger's last day."""
    loaded: Loaded = random_ledger(name)
    snapshots = loaded.as_of(AS_OF[-1])
    loaded.facts_of(snapshots)
    relations = [snapshots, *bill_facts(loaded.ledger.money), *episodes()]
    for relation in relations:
        build(loaded.engine, [replace(relation, materialized=True)])
    return loaded.engine


def broken(table: Table, engine: Engine) -> list[str]:
    """What of the table's declaration its rows do not keep."""
    columns = [column.name for column in table.columns]
    here = [name for name in columns if name in engine.columns(table.name)]
    key = ", ".join(name for name in table.key if name in here)
    found = []
    if key and engine.value(
        f"select count(*) from (select 1 from {table.name} where "
        f"{' and '.join(f'{name} is not null' for name in table.key)} "
        f"group by {key} having count(*) > 1)"
    ):
        found.append("key")
    for column in table.columns:
        if not column.nullable and column.name in here:
            unknown = f"select count(*) from {table.name} where {column.name} is null"
            if engine.value(unknown):
                found.append(f"{column.name} is null")
    facts = {c.name: Fact(c.name, c.kind or Kind.TEXT, c.nullable) for c in table.columns}
    facts["days_past_due"] = Fact("days_past_due", Kind.INTEGER)
    facts[EPISODE_STARTED_ON.name] = EPISODE_STARTED_ON
    for guarantee in table.guarantees:
        problems = Problems()
        expression = check(guarantee, facts, problems)
        assert expression is not None, list(problems)
        holds = check_sql(expression, fact_column if table is FACTS else quoted)
        if engine.value(f"select count(*) from {table.name} where not {holds}"):
            found.append(guarantee)
    return found


@pytest.mark.parametrize("name", LACKING)
def test_every_table_is_as_declared(name: str) -> None:
    engine = built(name)
    for table in TABLES.values():
        check_table(table.name, engine.columns(table.name))
        if table is not LEDGER_ACTIONS:  # nothing was issued in random ledgers
            assert engine.value(f"select count(*) from {table.name}"), table.name
        assert broken(table, engine) == [], table.name


def test_a_row_that_breaks_a_guarantee_is_found() -> None:
    engine = built("plain")
    engine.run("update bill_facts set days_past_due = days_past_due + 1 where cleared_on is null")
    assert broken(BILL_FACTS, engine) == [BILL_FACTS.guarantees[1]]
    engine.run("update bill_facts set due_on = as_of, days_past_due = 1")
    assert broken(BILL_FACTS, engine) == [BILL_FACTS.guarantees[0]]
    engine.run("update snapshots set snap = 1")
    assert broken(SNAPSHOTS, engine) == ["key"]


@pytest.mark.parametrize(
    ("select", "misfits"),
    [
        ("1 as snap, 2 as account_no", "as_of is missing"),
        ("1 as snap, 2 as account_no, 'x' as as_of", "as_of is text, not date"),
        ("1 as snap, 2 as account_no, current_date as as_of, 1 as more", "more is not declared"),
    ],
)
def test_a_relation_that_is_declared_otherwise_is_not_built(select: str, misfits: str) -> None:
    relation = Relation("snapshots", f"select {select}", materialized=True)
    with DuckDB(threads=1) as engine, pytest.raises(ContractError, match=misfits):
        build(engine, [relation])


def test_relations_of_other_names_are_built_as_they_are() -> None:
    with DuckDB(threads=1) as engine:
        build(engine, [Relation("anything", "select 1 as one", materialized=True)])
        assert engine.value("select one from anything") == 1
