"""Features over several accounts: those of one party, and those at one premise.

A party may have several accounts and a premise too, as they come and go. Which accounts are
together is what is in force of each as of the date; an account without a party, or a premise, is
alone.
"""

from __future__ import annotations

from collections.abc import Collection

from riskseg.domain.relations import Relation

# The column of accounts that the accounts of a range have in common.
SHARED = {"party": "party_id", "premise": "premise_id"}


def with_others(asked: Relation, ranges: Collection[str], *, focus: bool) -> list[Relation]:
    """`asked_snapshots`, those that are asked for, and `snapshots`: these and the other accounts
    that may be together with them, as of the same dates, with negative numbers. An account that is
    asked for as of that date anyway is not looked at twice.

    `focus` says that snapshots name a bill. They read `ledger_accounts`.
    """
    others = " union ".join(
        f"""
            select s.as_of, other.account_no
            from asked_snapshots s
            join ledger_accounts mine on mine.account_no = s.account_no
            join ledger_accounts other on other.{SHARED[range_]} = mine.{SHARED[range_]}"""
        for range_ in ranges
    )
    bill = ", null" if focus else ""
    return [
        Relation("asked_snapshots", asked.select, materialized=True),
        Relation(
            "snapshots",
            f"""
        select *
        from asked_snapshots
        union all
        select cast(-row_number() over (order by as_of, account_no) as integer),
            account_no,
            as_of{bill}
        from ({others}
        ) o
        where not exists (
            select 1
            from asked_snapshots a
            where a.account_no = o.account_no and a.as_of = o.as_of
        )
        """,
            materialized=True,
        ),
    ]


def together_facts(ranges: Collection[str], *, focus: bool) -> list[Relation]:
    """`party_facts` and `premise_facts`, as far as they are among the ranges: for each snapshot
    that is asked for, a row for each account together with it, itself (`own`) included: snap,
    as_of, own, opened_on, closed_on, written_off_on, days_past_due and, in minor units, overdue,
    unpaid and credit.

    They read `asked_snapshots`, `snapshots`, `account_rows`, `bill_facts` and `totals`.
    """
    # Several snapshots of an account and day differ in the bill they name alone.
    one_a_day = (
        "qualify row_number() over (partition by s.account_no, s.as_of order by s.snap) = 1"
        if focus
        else ""
    )
    return [
        Relation(
            "account_days",
            """
        select snap, max(days_past_due) filter (where cleared_on is null) as days_past_due
        from bill_facts
        group by snap
        """,
        ),
        Relation(
            "account_states",
            f"""
        select s.account_no, s.as_of, r.opened_on, r.closed_on, r.written_off_on,
            {", ".join(f"{_key(range_)} as of_{range_}" for range_ in ranges)},
            coalesce(d.days_past_due, 0) as days_past_due,
            t.overdue, t.open as unpaid, greatest(t.credit, 0) as credit
        from snapshots s
        join account_rows r on r.snap = s.snap
        join totals t on t.snap = s.snap
        left join account_days d on d.snap = s.snap
        where r.opened_on is null or r.opened_on <= s.as_of
        {one_a_day}
        """,
            materialized=True,
        ),
        *(_facts_of(range_) for range_ in ranges),
    ]


def _facts_of(range_: str) -> Relation:
    return Relation(
        f"{range_}_facts",
        f"""
        select s.snap, s.as_of,
            o.account_no = s.account_no as own,
            o.opened_on, o.closed_on, o.written_off_on, o.days_past_due, o.overdue, o.unpaid,
            o.credit
        from asked_snapshots s
        join account_rows r on r.snap = s.snap
        join account_states o on o.as_of = s.as_of and o.of_{range_} = {_key(range_)}
        """,
    )


def _key(range_: str) -> str:
    """SQL of what accounts together have in common, of a snapshot `s` and its row `r`."""
    return f"coalesce('of ' || r.{SHARED[range_]}, 'alone ' || s.account_no)"
