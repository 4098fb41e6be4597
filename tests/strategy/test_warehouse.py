"""The query that a strategy is exported as: it decides as the engine does, reads well, and is
tested by made-up accounts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems, ProblemsError
from riskseg.engine import DuckDB
from riskseg.expressions.dialects import DIALECTS
from riskseg.pipeline.warehouse import Tried, self_test
from riskseg.rules.model import Strategy
from riskseg.rules.periods import Period
from riskseg.strategy.warehouse.made_up import chosen
from riskseg.strategy.warehouse.names import plain
from riskseg.strategy.warehouse.period import period_of, periods
from riskseg.strategy.warehouse.portable import check_portable
from riskseg.strategy.warehouse.query import Query
from tests.strategy.test_proof import BY_NAME, STARTER, catalogue_facts
from tests.support import spark as spark_installed
from tests.support.accounts import decided, random_accounts
from tests.support.hostile import hostile_strategy
from tests.support.sampled import one_in
from tests.support.strategies import FACTS, SMALL, changed, read_folder, sound
from tests.support.warehouse import exported

AS_OF = date(2026, 3, 2)
# That of the other tests, which may share the process.
MASTER = "local[2, 3]"


@pytest.fixture(scope="module")
def starter() -> Strategy:
    strategy, problems = read_folder(STARTER, catalogue_facts(), {})
    assert strategy is not None, problems
    return replace(strategy, default_values={})


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Strategy:
    return sound(tmp_path_factory.mktemp("small"), SMALL)


@pytest.fixture(scope="module")
def tried(starter: Strategy) -> Tried:
    with DuckDB(threads=1) as engine:
        return self_test(engine, Query.of(starter, period_of(starter, None)))


@pytest.fixture(scope="module")
def small_tried(small: Strategy) -> Tried:
    with DuckDB(threads=1) as engine:
        return self_test(engine, Query.of(small, period_of(small, None)))


def agrees(strategy: Strategy, accounts: list[dict[str, Any]], as_of: date) -> None:
    by_engine = decided(strategy, accounts, as_of)
    for account, expected, found in zip(
        accounts, by_engine, exported(strategy, accounts, as_of), strict=True
    ):
        given = {name: found[name] for name in found if name not in ("account_id", "as_of")}
        assert given == {name: expected[name] for name in given}, account


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_query_decides_as_the_engine_does(small: Strategy, seed: int) -> None:
    agrees(small, random_accounts(small, AS_OF, 100, seed), AS_OF)


def test_it_does_so_for_the_starter(starter: Strategy) -> None:
    agrees(starter, random_accounts(starter, AS_OF, 200, seed=3), AS_OF)


@pytest.mark.parametrize("seed", one_in(10, range(60)))
def test_whatever_things_are_called(seed: int) -> None:
    made = hostile_strategy(seed)
    accounts = list(made.accounts())
    agrees(made.strategy, accounts[:: max(1, len(accounts) // 60)], AS_OF)


CELLS = changed("segments.yaml", "[any, high, [new, late]]", "[any, high, [new, late], 30..60]")
WITH_RANGES = {
    **CELLS,
    "segments.yaml": CELLS["segments.yaml"]
    .replace("[lifecycle, risk, behaviour]", "[lifecycle, risk, behaviour, days_past_due]")
    .replace("any, any], segment: trace", "any, any, any], segment: trace")
    .replace("[any, any, any], segment: leave", "[any, any, any, any], segment: leave"),
}


def test_ranges_and_a_segment_that_conditions_read(tmp_path: Path) -> None:
    guards = SMALL["guards.yaml"] + "- {guard: kind, when: segment = 'trace', never: [sms]}\n"
    strategy = sound(tmp_path, {**WITH_RANGES, "guards.yaml": guards})
    agrees(strategy, random_accounts(strategy, AS_OF, 300, seed=8), AS_OF)


def test_a_table_longer_than_a_number_has_bits(tmp_path: Path) -> None:
    rows = "".join(
        f"  - {{id: r{n}, match: [{2 * n}..{2 * n + 1}, {'high' if n % 3 else 'any'}], "
        f"segment: s{n % 7}}}\n"
        for n in range(140)
    )
    segments = f"columns: [days_past_due, risk]\nrows:\n{rows}"
    segments += "  - {id: rest, match: [any, any], segment: s0}\n"
    served = ", ".join(f"s{n}" for n in range(7))
    paths = f"p: {{for: [{served}], starts: as_of, steps: [{{day: 0, action: sms}}], then: stay}}\n"
    strategy = sound(
        tmp_path,
        {
            **SMALL,
            "segments.yaml": segments,
            "paths.yaml": paths,
            "examples.yaml": "examples: []\n",
        },
    )
    agrees(strategy, random_accounts(strategy, AS_OF, 300, seed=9), AS_OF)


# -- the days on which it holds ------------------------------------------------------------------


def test_a_query_holds_while_no_rule_begins_or_ends(tmp_path: Path) -> None:
    strategy = sound(tmp_path, BY_NAME["periods"])
    first, between, last = periods(strategy)
    assert first == Period(date.min, date(2026, 3, 1))
    assert between == Period(date(2026, 3, 2), date(2026, 3, 2))
    assert last == Period(date(2026, 3, 3), date.max)
    with pytest.raises(ProblemsError, match=r"RS240 .*2026-03-02.*--as-of 2026-03-03"):
        period_of(strategy, None)
    for period in (first, between, last):
        for day in {max(period.first, date(2026, 2, 1)), min(period.last, date(2026, 4, 1))}:
            accounts = random_accounts(strategy, day, 120, seed=4)
            agrees(strategy, accounts, day)
            same = Query.of(strategy, period_of(strategy, day)).sql(DIALECTS["duckdb"], "facts")
            assert same == Query.of(strategy, period).sql(DIALECTS["duckdb"], "facts")


def test_on_other_days_it_decides_nothing(tmp_path: Path) -> None:
    strategy = sound(tmp_path, BY_NAME["periods"])
    (account,) = random_accounts(strategy, AS_OF, 1, seed=4)
    query = Query.of(strategy, period_of(strategy, date(2026, 4, 1)))
    assert query.is_bounded
    found = exported(strategy, [account | {"as_of": date(2026, 1, 1)}], date(2026, 4, 1))
    assert {v for n, v in found[0].items() if n not in ("account_id", "as_of")} == {None}


def test_a_day_on_which_the_strategy_does_not_hold(small: Strategy) -> None:
    later = replace(small, effective_from=date(2026, 6, 1))
    with pytest.raises(ProblemsError, match="RS210"):
        period_of(later, AS_OF)
    assert period_of(later, None) == Period(date(2026, 6, 1), date.max)


# -- the test that goes with it ------------------------------------------------------------------


def test_made_up_accounts_reach_every_part(tried: Tried, small_tried: Tried) -> None:
    assert tried.not_reached == ()
    assert small_tried.not_reached == ()
    assert len(tried.test.accounts) < 250
    for name, fact in tried.test.query.strategy.facts.items():
        column = tried.test.query.facts.get(name)
        if column is not None and fact.nullable:
            assert any(account[column] is None for account in tried.test.accounts), name


def test_the_same_strategy_gives_the_same_files(small: Strategy, small_tried: Tried) -> None:
    with DuckDB(threads=2) as engine:
        again = self_test(engine, Query.of(small, period_of(small, None)))
    sql = again.test.sql(DIALECTS["spark"])
    assert sql == small_tried.test.sql(DIALECTS["spark"])


_OTHER_SIGN = {">": ">=", ">=": ">", "<": "<=", "<=": "<"}


def mistaken(sql: str) -> Iterator[str]:
    """The query with one comparison with a number on the wrong side of it, for each there is."""
    own = sql.index("facts_read as (")
    for found in re.finditer(r" (>=|<=|>|<) (?=-?\d)", sql[own:]):
        at = own + found.start(1)
        yield f"{sql[:at]}{_OTHER_SIGN[found[1]]}{sql[at + len(found[1]) :]}"


@pytest.mark.parametrize(
    ("name", "least"), [("small_tried", 0.75), pytest.param("tried", 0.55, marks=pytest.mark.slow)]
)
def test_the_self_test_finds_what_is_decided_otherwise(
    name: str, least: float, request: pytest.FixtureRequest
) -> None:
    sql = request.getfixturevalue(name).test.sql(DIALECTS["duckdb"])
    with duckdb.connect() as engine:
        engine.execute("set threads = 1")
        assert engine.execute(sql).fetchall() == []
        noticed = [bool(engine.execute(wrong).fetchall()) for wrong in mistaken(sql)]
        assert len(noticed) > 5
        assert sum(noticed) >= least * len(noticed), f"{sum(noticed)} of {len(noticed)}"
        unlike = sql.replace("is null then 'unscored'", "is null then 'unknown'")
        (row, *_) = engine.execute(unlike).fetchall()
    assert "risk" in row[1].split(", ")


def test_postgres_decides_as_riskseg(tried: Tried, small_tried: Tried, postgres_url: str) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        for one in (tried, small_tried):
            connection.execute("set statement_timeout = '60s'")
            assert connection.execute(one.test.sql(DIALECTS["postgres"])).fetchall() == []


@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas")
@pytest.mark.parametrize("name", ["small_tried", pytest.param("tried", marks=pytest.mark.slow)])
def test_spark_decides_as_riskseg(name: str, request: pytest.FixtureRequest) -> None:
    spark_installed.required()
    from riskseg.engine.spark import Spark

    test: Tried = request.getfixturevalue(name)
    session = Spark(MASTER).session
    assert session.sql(test.test.sql(DIALECTS["spark"])).collect() == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_database_can_read_it(dialect: str, small_tried: Tried) -> None:
    test, query = small_tried.test, small_tried.test.query
    for sql in (test.sql(DIALECTS[dialect]), query.sql(DIALECTS[dialect], "facts")):
        (statement,) = sqlglot.parse(sql, dialect=dialect)
        assert statement is not None
        functions = {node.name.lower() for node in statement.find_all(sqlglot.exp.Anonymous)}
        assert functions <= {"greatest_ignore_nulls", "least_ignore_nulls", "dayofweekiso"}


def test_a_few_accounts_are_chosen() -> None:
    assert chosen([["a"], ["a", "b"], ["c"], ["b", "c", "d"], ["a"]]) == [0, 3]


# -- what it says --------------------------------------------------------------------------------


def test_it_reads_well(starter: Strategy) -> None:
    query = Query.of(starter, period_of(starter, None))
    sql = query.sql(DIALECTS["postgres"], "facts")
    assert not re.search(r"[@~#?]\w", sql.replace("'", ""))
    comments = re.findall(r"^-- .*\n(\w+) as", sql, re.MULTILINE)
    relations = re.findall(r"^(\w+) as \($", sql, re.MULTILINE)
    assert comments == relations  # each relation but the first says what it works out
    assert len(query.facts.values()) == len(set(query.facts.values()))
    assert all(len(name) <= 63 for name in (*query.facts.values(), *query.names.values()))


def test_a_step_that_was_taken_has_a_name(small: Strategy) -> None:
    sql = Query.of(small, period_of(small, None)).sql(DIALECTS["duckdb"], "facts")
    _, before, after = sql.partition("as chase_sms_taken")
    assert before and "when chase_sms_taken then null" in after
    assert "between 1 and" not in after.partition("from taken_before")[2]


def test_default_values_are_constants(small: Strategy) -> None:
    without = replace(small, default_values={"note": None, "is_vulnerable": False})
    query = Query.of(without, period_of(without, None))
    assert "is_vulnerable" in Query.of(small, period_of(small, None)).facts
    assert "is_vulnerable" not in query.facts


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("issued collection call", "issued_collection_call"),
        ("Ünal", "unal"),
        ("1st", "n_1st"),
        ("名前", "column"),
        ("word " * 20, "_".join(["word"] * 12)),
    ],
)
def test_plain_names(text: str, name: str) -> None:
    assert plain(text) == name


def test_an_expression_without_an_equivalent_is_a_problem(tmp_path: Path) -> None:
    files = changed("tiers.yaml", "days_past_due > 30", "'round(score, 1) > 30'")
    facts: Mapping[str, Fact] = {**FACTS, "score": Fact("score", Kind.NUMBER)}
    strategy, problems = sound(tmp_path, files, facts), Problems()
    check_portable(strategy, DIALECTS["duckdb"], problems)
    assert not len(problems)
    check_portable(strategy, DIALECTS["bigquery"], problems)
    (problem,) = problems
    assert (problem.code, problem.file, problem.line) == ("RS241", "rules/tiers.yaml", 3)
    assert "`round(score, 1) > 30` cannot be written for BigQuery" in problem.what
