"""`strategy export`: a strategy as one query for a warehouse, with a test of it, or as a dbt
package."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from riskseg.domain.problems import Problems, did_you_mean
from riskseg.expressions.dialects import DIALECTS, Dialect
from riskseg.pipeline.fact_source import is_from_data
from riskseg.pipeline.outputs import check_output
from riskseg.pipeline.session import open_checked
from riskseg.pipeline.strategy_versions import checked_editions
from riskseg.pipeline.warehouse import Tried, self_test
from riskseg.results.strategy_export import ExportedFact, StrategyExport
from riskseg.store.files import folder_beside
from riskseg.strategy.warehouse.csv_text import csv_text
from riskseg.strategy.warehouse.days import Days, days_of
from riskseg.strategy.warehouse.dbt import package
from riskseg.strategy.warehouse.facts_read import FactRead, facts_read
from riskseg.strategy.warehouse.period import period_of
from riskseg.strategy.warehouse.portable import check_portable
from riskseg.strategy.warehouse.query import Query

_TABLE = re.compile(r"[A-Za-z_][\w$-]*(\.[A-Za-z_][\w$-]*){0,3}")


def export(
    root: Path | None,
    name: str | None,
    to: str,
    out: Path | None = None,
    *,
    here: Path | None = None,
    data: bool = True,
    as_of: date | None = None,
    table: str = "facts",
    dbt: bool = False,
    years: Sequence[int] = (),
) -> StrategyExport:
    """A strategy for the database `to`, found and checked as by
    :func:`riskseg.run.strategy.check`. With `out` its files go to a new folder: the query, its
    test and the list of the facts that it reads, or a `dbt` package.

    With `years`, what calendars say of each of their days is written too.

    The query holds for the days on which the rules in force are those of `as_of`, which may be left
    out where they never change. Raises RS004 for a database or a table that cannot be, RS010 for a
    folder that holds something else, RS210 and RS240 for the date, and RS241 for each expression
    that the database has no exact equivalent of.
    """
    dialect = _checked_arguments(root, to, out, table, dbt=dbt)
    with checked_editions(root, [name], here or Path.cwd(), data=data) as (source, editions):
        strategy, problems = editions[0].strategy, Problems()
        check_portable(strategy, dialect, problems)
        problems.raise_if_any()
        query = Query.of(strategy, period_of(strategy, as_of))
        tried = self_test(source.engine, query)
        facts = tuple(facts_read(query, dialect))
        head = _head(query, dialect, table)
        days = days_of(query, years)
        files = _files(query, tried, facts, days, dialect, table, head, dbt=dbt)
        if out is not None:
            _write(out, files)
        return StrategyExport(
            strategy=strategy.name,
            version=strategy.fingerprint,
            from_data=is_from_data(source),
            to=dialect.name,
            dbt=dbt,
            first_day=None if query.period.first == date.min else query.period.first,
            last_day=None if query.period.last == date.max else query.period.last,
            table=table,
            facts=tuple(ExportedFact.model_validate(fact) for fact in facts),
            columns=tuple(query.columns),
            days=len(days.rows),
            test_accounts=len(tried.test.accounts),
            not_reached=tried.not_reached,
            folder=None if out is None else str(out),
            files=tuple(files) if out is not None else (),
            sql=query.sql(dialect, table, head=head) if out is None else None,
        )


def _checked_arguments(
    root: Path | None, to: str, out: Path | None, table: str, *, dbt: bool
) -> Dialect:
    """The database that is named. Raises what is wrong with the arguments."""
    problems = Problems()
    if to not in DIALECTS:
        message = f'"{to}" is not a database that strategies are exported to.'
        problems.add("RS004", message, hint=did_you_mean(to, DIALECTS))
    if not _TABLE.fullmatch(table):
        message = f'"{table}" is not the name of a table.'
        problems.add("RS004", message, hint="Write it as facts, or as schema.facts.")
    if dbt and out is None:
        hint = "Name a new folder: `--out FOLDER`."
        problems.add("RS005", "A dbt package is a folder of files.", hint=hint)
    if out is not None and root is not None:
        check_output(open_checked(root), out, problems)
    problems.raise_if_any()
    return DIALECTS[to]


def _head(query: Query, dialect: Dialect, table: str) -> str:
    strategy = query.strategy
    lines = [
        f"The strategy {strategy.name} {strategy.fingerprint} for {dialect.title}, by riskseg.",
        f"It reads the table {table}, one row an account, and decides each of them.",
    ]
    if query.is_bounded:
        lines.append(f"Its rules are in force {query.period}: on other days it decides nothing.")
    return "".join(f"-- {' '.join(line.split())}\n" for line in lines)


def _files(
    query: Query,
    tried: Tried,
    facts: Sequence[FactRead],
    days: Days,
    dialect: Dialect,
    table: str,
    head: str,
    *,
    dbt: bool,
) -> Mapping[str, str]:
    """The files of the export, by their place in its folder."""
    if dbt:
        return package(query, tried.test, facts, days, dialect, head)
    test_head = (
        f"-- A test of the strategy {query.strategy.name} {query.strategy.fingerprint} for "
        f"{dialect.title}, by riskseg.\n"
        "-- It reads no table. It gives a row for each made-up account that this database decides\n"
        "-- otherwise than riskseg: no row means that all is well.\n"
    )
    files = {
        "decisions.sql": query.sql(dialect, table, head=head),
        "self_test.sql": tried.test.sql(dialect, head=test_head),
        "facts.csv": csv_text(_FACT_COLUMNS, map(_described, facts)),
    }
    if days.rows:
        files["days.csv"] = csv_text(days.columns, days.rows)
    return files


_FACT_COLUMNS = ("column", "type", "may_be_unknown", "origin", "meaning", "fact")


def _described(fact: FactRead) -> Mapping[str, str]:
    unknown = "yes" if fact.nullable else "no"
    row = (fact.column, fact.type, unknown, fact.origin, fact.meaning, fact.fact)
    return dict(zip(_FACT_COLUMNS, row, strict=True))


def _write(folder: Path, files: Mapping[str, str]) -> None:
    with folder_beside(folder, token="export") as draft:
        for name, text in files.items():
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            (draft / name).write_text(text, encoding="utf-8", newline="\n")
