"""What is known of an account itself as of a date: the row in force and its lifecycle."""

from __future__ import annotations

from collections.abc import Sequence

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.relations import Relation, fact_column

LIFECYCLE = Fact(
    "lifecycle",
    Kind.LEVEL,
    levels=("live", "final_billed", "closed_in_debt", "written_off", "in_credit", "no_history"),
    words="the account is {value}",
)
DATES = ("opened_on", "closed_on", "written_off_on")


def account_rows(attributes: Sequence[str], *, dated: bool) -> Relation:
    """`account_rows`: one row a snapshot, the one in force; attributes as `"@NAME"`.

    A close or write-off after the as-of date has not happened yet.
    """
    columns = ["s.snap", "a.party_id", "a.premise_id", "a.opened_on"]
    columns += [
        f"case when a.{day} <= s.as_of then a.{day} end as {day}"
        for day in ("closed_on", "written_off_on")
    ]
    columns += [f"a.{fact_column(name)}" for name in attributes]
    listed = ", ".join(columns)
    if not dated:
        select = f"""
        select {listed}
        from ledger_accounts a
        join snapshots s on s.account_no = a.account_no
        """
    else:
        select = f"""
        select {listed}
        from ledger_accounts a
        join snapshots s on s.account_no = a.account_no
        where a.valid_from is null or a.valid_from <= s.as_of
        qualify row_number() over (
            partition by s.snap order by a.valid_from desc nulls last
        ) = 1
        """
    return Relation("account_rows", select)


def lifecycle_sql(arrears_from: int, *, billed: bool) -> str:
    """The lifecycle, over `account_rows` a and (where there are bills) `totals` t.

    Closed with at least `arrears_from` overdue is in debt; money left over once every bill is
    paid is credit, whoever the account belongs to now.
    """
    if not billed:
        return """case
            when a.written_off_on is not null then 'written_off'
            when a.closed_on is not null then 'final_billed'
            else 'live'
        end"""
    return f"""case
            when a.written_off_on is not null then 'written_off'
            when t.bills = 0 and not t.has_paid then 'no_history'
            when a.closed_on is not null and t.overdue >= {arrears_from} then 'closed_in_debt'
            when t.credit > 0 then 'in_credit'
            when a.closed_on is not null then 'final_billed'
            else 'live'
        end"""
