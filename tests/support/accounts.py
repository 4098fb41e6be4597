"""Random accounts, decided by the compiled SQL and by the slow decider."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from riskseg.domain.decision import DECIDED
from riskseg.domain.facts import Fact, Kind
from riskseg.domain.relations import fact_column, literal
from riskseg.engine import DuckDB
from riskseg.pipeline.contracts import build
from riskseg.rules.model import Strategy
from riskseg.rules.sql import inner, out
from riskseg.strategy.compile import compile_strategy, facts_hash_sql
from riskseg.strategy.examples import TYPES
from riskseg.treatment.calendar import calendar_facts

NUMBERS = (0, 1, 2, 3, 5, 6, 9, 10, 29, 30, 31, 49, 50, 51, 59, 60, 61, 89, 90, 91, 200)


def random_accounts(strategy: Strategy, as_of: date, count: int, seed: int) -> list[dict[str, Any]]:
    """Facts of `count` accounts, near the numbers that rules like to cut at, with unknowns."""
    rng, other = random.Random(seed), random.Random(seed)  # noqa: S311
    cuts = [cut for band in strategy.bands for _, cut in band.cuts]
    days = [step.day for path in strategy.paths for step in path.steps]
    return [
        {
            name: _elsewhere(as_of, other)
            if name.startswith("elsewhere ")
            else _likely(name, _value(fact, cuts, days, as_of, rng), as_of, rng)
            for name, fact in strategy.facts.items()
        }
        | calendar_facts(strategy.facts, as_of)
        | {"as_of": as_of}
        for _ in range(count)
    ]


def _likely(name: str, value: Any, as_of: date, rng: random.Random) -> Any:
    """What was issued was issued before the day that is decided; few events last, or lasted
    long, few accounts have rows in quarantine, and few have broken a plan."""
    if name.startswith(("issued ", "instead ", "last issued ")) and value is not None:
        return min(value, as_of - timedelta(days=1))
    if name.startswith("lasting ") or name == "has_quarantined_rows":
        return value and rng.random() < 0.2
    if name == "plan_broken_on" and rng.random() < 0.85:
        return None
    if name.startswith("days held "):
        return min(value, 9)
    return value


def _elsewhere(as_of: date, rng: random.Random) -> date | None:
    """Seldom was the same done on another path."""
    return as_of - timedelta(days=rng.randint(1, 60)) if rng.random() < 0.1 else None


def _value(
    fact: Fact, cuts: Sequence[Decimal], days: Sequence[int], as_of: date, rng: random.Random
) -> Any:
    if fact.nullable and rng.random() < 0.1:
        return None
    match fact.kind:
        case Kind.BOOLEAN:
            return rng.random() < 0.5
        case Kind.INTEGER:
            number = 0 if rng.random() < 0.4 else rng.choice(NUMBERS)
            return max(number, int(fact.lower or 0))
        case Kind.DECIMAL if fact.upper == 1:
            near = rng.choice(cuts) + rng.choice((-1, 0, 1)) * Decimal("0.000001")
            return min(max(near, Decimal(0)), Decimal(1))
        case Kind.DECIMAL:
            return Decimal(rng.choice(NUMBERS)) + rng.choice((0, Decimal("0.01"), Decimal("-0.01")))
        case Kind.DATE:
            on_a_step = rng.random() < 0.85
            return as_of - timedelta(days=rng.choice(days) if on_a_step else rng.randint(-12, 160))
        case Kind.LEVEL:
            return rng.choice(fact.levels)
        case _:
            return rng.choice(("", "a", "b"))


def decided(
    strategy: Strategy,
    accounts: Sequence[Mapping[str, Any]],
    as_of: date,
    also: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """The decisions of the compiled SQL, in the order of the accounts; `also` are columns on the
    way to them."""
    names = [*strategy.levels, *DECIDED, *also]
    facts = [*strategy.facts]
    rows = ", ".join(
        f"({n}, {', '.join(_sql(strategy.facts[f], _of(account, f)) for f in facts)})"
        for n, account in enumerate(accounts)
    )
    listed = ", ".join(map(fact_column, facts))
    with DuckDB(threads=1) as engine:
        engine.run(f"create temp table scored as select * from (values {rows}) t(snap, {listed})")
        build(engine, compile_strategy(strategy, as_of))
        columns = [*map(out, names[: len(names) - len(also)]), *map(inner, also)]
        names.append("facts_hash")
        columns.append(facts_hash_sql(strategy))
        found = engine.rows(f"select {', '.join(columns)} from decided order by snap")
    return [dict(zip(names, row, strict=True)) for row in found]


def _of(account: Mapping[str, Any], fact: str) -> Any:
    """A fact of an account, for which nothing was issued unless it says so."""
    of_steps = fact.startswith(("issued ", "occurrence ", "outcome ", "elsewhere ", "instead "))
    return account.get(fact) if of_steps else account[fact]


def _sql(fact: Fact, value: Any) -> str:
    text = "null" if value is None else literal(str(value))
    return f"cast({text} as {TYPES[fact.kind]})"
