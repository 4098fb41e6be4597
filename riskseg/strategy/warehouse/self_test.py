"""The test of an exported query: made-up accounts, the decisions they should get, and a query that
gives the accounts that are decided otherwise, on the database where it will be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskseg.expressions.dialects import Dialect, SqlType, Writer
from riskseg.expressions.dialects.forms import TEXT, Spelled, Text
from riskseg.strategy.warehouse.query import SQL_TYPES, Query

_MADE_UP, _EXPECTED = "made_up_accounts", "expected_decisions"
# Of an account that is decided otherwise these are shown, beside what differs.
_SHOWN = ("segment", "action", "guards")


@dataclass(frozen=True)
class SelfTest:
    """`accounts` have the columns of the table of facts, `expected` those that the query gives; one
    row an account in both, in the same order."""

    query: Query
    accounts: Sequence[Mapping[str, Any]]
    expected: Sequence[Mapping[str, Any]]

    @property
    def account_columns(self) -> Mapping[str, SqlType]:
        facts = {
            name: SQL_TYPES[self.query.strategy.facts[fact].kind]
            for fact, name in self.query.facts.items()
        }
        return {"account_id": TEXT, **facts}

    def sql(self, dialect: Dialect, *, head: str = "") -> str:
        """One query that reads no table: it gives a row for each account that the database decides
        otherwise than riskseg, with the columns that differ. No row means that all is well."""
        query = self.query
        made_up = dialect.rows(_MADE_UP, self.account_columns, _values(self.accounts))
        expected = dialect.rows(_EXPECTED, query.columns, _values(self.expected))
        relations = [
            f"-- The made-up accounts.\n{dialect.relation(_MADE_UP, made_up)}",
            *query.relations(dialect, _MADE_UP),
            "-- What this database decides for them.\n"
            f"{dialect.relation('decisions', query.selected(dialect))}",
            f"-- What riskseg decides for them.\n{dialect.relation(_EXPECTED, expected)}",
        ]
        together = ",\n\n".join(relations)
        return f"{head}with {together}\n\n{self.differences(dialect, 'decisions', _EXPECTED)}"

    def differences(self, dialect: Dialect, decisions: str, expected: str) -> str:
        """The select of the accounts whose decisions are not as expected."""
        names = {name: dialect.quoted(name) for name in self.query.columns if name != "account_id"}
        cases = tuple(
            Spelled(f"case when {_differs(name)} then {dialect.text(column)} end")
            for column, name in names.items()
        )
        differing = Writer(dialect).text(Text(cases, separator=", "), 4)
        columns = ["e.account_id", f"{differing} as columns_that_differ"]
        for column in _SHOWN:
            columns += [f"e.{column} as {column}_expected", f"d.{column} as {column}_decided"]
        listed, differ = ",\n    ".join(columns), "\n    or ".join(map(_differs, names.values()))
        return (
            f"select\n    {listed}\nfrom {expected} as e\n"
            f"left join {decisions} as d on d.account_id = e.account_id\nwhere\n    {differ}\n"
        )


def _differs(name: str) -> str:
    """That a column has not the value that is expected: unknown values are alike."""
    return f"not coalesce(e.{name} = d.{name}, e.{name} is null and d.{name} is null)"


def _values(rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in rows]
