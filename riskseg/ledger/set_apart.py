"""Accounts of which a row was set apart: what is known of them is not all there is."""

from __future__ import annotations

from collections.abc import Iterable

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.relations import Relation

# Whichever day is asked of: of a row that cannot be read nobody knows the date.
HAS_QUARANTINED_ROWS = Fact(
    "has_quarantined_rows",
    Kind.BOOLEAN,
    words="a row of the account was set apart: {value}",
    static=True,
)
QUARANTINED = Relation(
    "quarantined",
    """
    select s.snap
    from snapshots s
    join quarantined_accounts q on q.account_no = s.account_no
    """,
)


def quarantined_accounts_sql(tables: Iterable[str]) -> str:
    """The statement that makes `quarantined_accounts` (account_no) of the staged tables that may
    have bad rows."""
    selects = [
        f"select account_no from {table} where fault is not null and account_no is not null"
        for table in tables
    ]
    union = " union ".join(selects) or "select cast(null as integer) as account_no where false"
    return f"""
        create or replace table quarantined_accounts as
        select distinct account_no
        from ({union})
        """
