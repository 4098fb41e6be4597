"""The test of a strategy that is exported: the engine decides made-up accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from riskseg.domain.facts import Kind
from riskseg.domain.relations import quoted
from riskseg.engine import Engine
from riskseg.expressions.dialects import DIALECTS
from riskseg.pipeline.contracts import build
from riskseg.rules.elements import in_force
from riskseg.rules.sql import inner, out, row_of
from riskseg.strategy.compile import compile_strategy
from riskseg.strategy.warehouse.made_up import chosen, made_up
from riskseg.strategy.warehouse.query import Query
from riskseg.strategy.warehouse.reach import Reach
from riskseg.strategy.warehouse.self_test import SelfTest

# Accounts that are made up, of which those are kept that reach something no other does.
_CANDIDATES = 3_000
_STORED = {
    Kind.BOOLEAN: pa.bool_(),
    Kind.INTEGER: pa.int64(),
    Kind.DECIMAL: pa.decimal128(38, 6),
    Kind.NUMBER: pa.float64(),
    Kind.DATE: pa.date32(),
    Kind.TEXT: pa.string(),
    Kind.LEVEL: pa.string(),
}


@dataclass(frozen=True)
class Tried:
    """A test, and the parts of the strategy that none of its accounts reaches, in words."""

    test: SelfTest
    not_reached: tuple[str, ...]


def self_test(engine: Engine, query: Query) -> Tried:
    """A test of the query. The engine carries it out too, so that what is exported is known to
    decide as riskseg does where the database keeps to its own manual."""
    strategy = query.strategy
    accounts: list[dict[str, Any]] = [
        {**account, **strategy.default_values}
        for account in made_up(strategy, query.period, _CANDIDATES)
    ]
    decisions = _decided(engine, query, accounts)
    reach = Reach.of(query)
    reached = [
        [*reach.by(account, decision)]
        for account, decision in zip(accounts, decisions, strict=True)
    ]
    kept = chosen(reached)
    ids = [f"T{number:03d}" for number in range(1, len(kept) + 1)]
    test = SelfTest(
        query,
        tuple(
            {"account_id": id_, **{name: accounts[n][fact] for fact, name in query.facts.items()}}
            for id_, n in zip(ids, kept, strict=True)
        ),
        tuple(
            {"account_id": id_, "as_of": accounts[n]["as_of"]}
            | {column: decisions[n][name] for name, column in query.outputs.items()}
            for id_, n in zip(ids, kept, strict=True)
        ),
    )
    differing = engine.rows(test.sql(DIALECTS["duckdb"]))
    assert not differing, f"the exported query decides otherwise: {differing[0]}"
    things = {thing for of_account in reached for thing in of_account}
    missing = [words for thing, words in reach.wanted() if thing not in things]
    return Tried(test, tuple(missing))


def _decided(
    engine: Engine, query: Query, accounts: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """What the engine decides for accounts, in their order, with the rows and guards that led to
    it."""
    strategy = query.strategy
    columns = {"snap": pa.array(range(len(accounts)), pa.int64())}
    for name, fact in strategy.facts.items():
        stored = pa.array([account[name] for account in accounts], _STORED[fact.kind])
        columns["as_of" if name == "as_of" else f"@{name}"] = stored
    engine.register("made_up_rows", pa.table(columns))
    engine.run("create or replace temp table scored as select * from made_up_rows")
    build(engine, compile_strategy(strategy, query.day))
    wanted = {name: out(name) for name in query.outputs}
    wanted |= {f"#{scheme.name}": row_of(scheme.name) for scheme in strategy.schemes}
    wanted |= {"#": inner("segment_row"), "due_path": inner("due_path"), "first": inner("first")}
    for guard in in_force(strategy.guards, query.day):
        wanted[f"!{guard.name}"] = quoted(f"!{guard.name}")
    rows = engine.rows(f"select {', '.join(wanted.values())} from decided order by snap")
    engine.unregister("made_up_rows")
    return [dict(zip(wanted, row, strict=True)) for row in rows]
