"""How two tables with a row for each account differ: in which accounts, columns and rows."""

from __future__ import annotations

from dataclasses import dataclass

from riskseg.domain.column_types import ColumnType
from riskseg.domain.relations import quoted
from riskseg.engine import Engine
from riskseg.insight.insight import Insight
from riskseg.results.replay import Differences

KEY = "account_id"
_SHOWN = 5


@dataclass(frozen=True)
class TwoTables:
    """Two relations of an engine, each with a row for each account_id."""

    engine: Engine
    old: str
    new: str


class RowDifferences(Insight[TwoTables, Differences]):
    """Accounts are matched by their ids, and compared in the columns that both tables have."""

    name = "differences"
    question = "Which accounts differ between two tables, and in which columns?"
    about = TwoTables

    def answer(self, subject: TwoTables) -> Differences:
        engine = subject.engine
        old_columns, new_columns = engine.columns(subject.old), engine.columns(subject.new)
        differing = {
            column_name: _differ(column_name, old_columns[column_name], new_columns[column_name])
            for column_name in old_columns
            if column_name in new_columns and column_name != KEY
        }
        any_differs = (
            " or ".join(f"({column_pair})" for column_pair in differing.values()) or "false"
        )
        in_both = f"old.{KEY} is not null and new.{KEY} is not null"
        by_column = "".join(
            f",\n    count(*) filter (where {in_both} and {condition})"
            for condition in differing.values()
        )
        joined = f"from {subject.old} old full join {subject.new} new on old.{KEY} = new.{KEY}"
        appeared, vanished, differing_rows, *counts = map(
            int,
            engine.rows(f"""
                select
                    count(*) filter (where old.{KEY} is null),
                    count(*) filter (where new.{KEY} is null),
                    count(*) filter (where {in_both} and ({any_differs})){by_column}
                {joined}
            """)[0],
        )
        accounts = engine.rows(f"""
            select coalesce(old.{KEY}, new.{KEY})
            {joined}
            where old.{KEY} is null or new.{KEY} is null or {any_differs}
            order by 1
            limit {_SHOWN}
        """)
        return Differences(
            rows=differing_rows,
            columns={
                column_name: count_of_column
                for column_name, count_of_column in zip(differing, counts, strict=True)
                if count_of_column
            },
            appeared=appeared,
            vanished=vanished,
            accounts=tuple(account for (account,) in accounts),
        )


DIFFERENCES = RowDifferences()


def _differ(name: str, old: ColumnType, new: ColumnType) -> str:
    """The condition that the values of a column differ: as text, where its types do."""
    both_sides = f"old.{quoted(name)}", f"new.{quoted(name)}"
    if old != new:
        both_sides = f"cast({both_sides[0]} as varchar)", f"cast({both_sides[1]} as varchar)"
    return f"{both_sides[0]} is distinct from {both_sides[1]}"
