"""Shares of accounts of which an outcome came true, by party."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from riskseg.insight.intervals import ratio_of_sums, share_columns
from riskseg.insight.portfolio import Portfolio


@dataclass(frozen=True)
class Rate:
    """The share `rate` of accounts of which it came true, and its standard error. What belongs to
    one party goes together, and the error is never smaller than Agresti and Coull make that of
    independent accounts (The American Statistician 52, 1998): where none of a few came true, what
    is observed does not vary at all."""

    accounts: int
    rate: float
    error: float

    def error_against(self, other: Rate) -> float:
        """The standard error of the difference to another rate."""
        return math.hypot(self.error, other.error)


def rates_by(
    subject: Portfolio, group: str, *, where: str = "true"
) -> Mapping[tuple[Any, ...], Rate]:
    """The rates of `outcomes` by groups, SQL over it; the key of each is what the SQL gives."""
    rows = subject.engine.rows(f"""
        with by_party as (
            select ({group},) as group_key, party_id, count(*) as accounts, sum(label) as bad
            from outcomes
            where {where}
            group by group_key, party_id
        )
        select group_key, {share_columns("bad", "accounts")}
        from by_party
        group by group_key
        order by group_key
    """)
    return {tuple(_values(key)): _rate(*map(float, sums)) for key, *sums in rows}


def _values(key: Any) -> Any:
    return key.values() if isinstance(key, dict) else key


def _rate(
    parties: float, bad: float, accounts: float, parts: float, crossed: float, wholes: float
) -> Rate:
    rate, error = ratio_of_sums(parties, accounts, bad, parts=parts, crossed=crossed, wholes=wholes)
    adjusted = (bad + 2) / (accounts + 4)
    at_least = math.sqrt(adjusted * (1 - adjusted) / (accounts + 4))
    return Rate(int(accounts), rate, max(error, at_least))
