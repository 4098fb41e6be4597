"""Snapshots: which account is looked at as of which date. One row each, numbered by `snap`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from riskseg.domain.facts import FIRST_DAY, LAST_DAY
from riskseg.domain.relations import Relation, literal

# A day that cycles are counted from, so that all windows have the same. Any would do.
CYCLES_FROM = date(2000, 1, 1)


def first_known_sql(with_bad_rows: Iterable[str]) -> str:
    """The statement that makes `first_known` (account_no, known_on): without an accounts table an
    account begins with its first bill or payment. A bad row of the tables `with_bad_rows` is one
    too; where none of an account's rows has a day that can be read, it has been there always."""
    bad_rows = "".join(
        f"""
        union all
        select account_no,
            case when known_on between date '{FIRST_DAY}' and date '{LAST_DAY}' then known_on end
        from {table}
        where fault is not null and account_no is not null"""
        for table in with_bad_rows
    )
    return f"""
    create table first_known as
    select account_no, coalesce(min(known_on), date '{FIRST_DAY}') as known_on
    from (
        select account_no, known_on from ledger_bills
        union all
        select account_no, known_on from ledger_payments{bad_rows}
    )
    group by account_no
    """


def as_of_snapshots(as_of: date, first: int, last: int, *, listed: bool, dated: bool) -> Relation:
    """One snapshot each of the accounts numbered `first` to `last` that exist as of the date.

    `listed`: there is an accounts table, and `dated` that its rows have valid_from.
    """
    day = f"date '{as_of}'"
    existing = _listed_by(day, dated) if listed else _first_known_by(day)
    return Relation(
        "snapshots",
        f"""
        select account_no as snap, account_no, {day} as as_of
        from ({existing})
        where account_no between {first} and {last}
        """,
        materialized=True,
    )


def _listed_by(day: str, dated: bool) -> str:
    """Accounts that the accounts table has as of a day, given as SQL."""
    valid = f"(a.valid_from is null or a.valid_from <= {day})" if dated else "true"
    return f"""
            select distinct a.account_no
            from ledger_accounts a
            where (a.opened_on is null or a.opened_on <= {day})
                and {valid}
            """


def _first_known_by(day: str) -> str:
    """Accounts that were billed or had paid by a day, given as SQL."""
    return f"""
            select a.account_no
            from first_known a
            where a.known_on <= {day}
            """


def cycle_snapshots(first: date, last: date, every: int, seed: int) -> Relation:
    """Each account at its own phase of a cycle of `every` days, from `first` to `last`.

    The phase is an md5 of the account's id and the seed, counted from a fixed day, so that an
    account has the same days whatever other accounts there are, and in whatever window.
    """
    digits = f"substr(md5(account_id || {literal(f'/{seed}')}), 1, 8)"
    begun = (first - CYCLES_FROM).days % every
    wait = f"cast((cast('0x' || {digits} as bigint) + {every - begun}) % {every} as integer)"
    cycles = (last - first).days // every + 1
    return Relation(
        "snapshots",
        f"""
        select cast(row_number() over (order by account_no, as_of) as integer) as snap, *
        from (
            select account_no,
                date '{first}' + ({wait} + {every} * cast(n as integer)) as as_of
            from account_ids
            cross join range(0, {cycles}) r(n)
        )
        where as_of <= date '{last}'
        """,
        materialized=True,
    )


def issue_snapshots(first: date, last: date, bill_order: str = "focus_bill") -> Relation:
    """One snapshot a bill, at the close of the day it was issued; `focus_bill` names it. Bills of
    an account and day are numbered by `bill_order`."""
    return Relation(
        "snapshots",
        f"""
        select cast(row_number() over (order by account_no, as_of, {bill_order}) as integer)
                as snap, *
        from (
            select account_no, known_on as as_of, bill_id as focus_bill
            from ledger_bills
            where known_on between date '{first}' and date '{last}'
                and amount_minor > 0
                and (cancelled_on is null or cancelled_on > known_on)
        )
        """,
        materialized=True,
    )


def at_issue_snapshots(snapshots: Relation) -> Relation:
    """One snapshot a bill issued on the as-of date of the accounts that `snapshots` look at: what a
    model that is observed at issue was trained on. `focus_bill` names the bill."""
    return Relation(
        "snapshots",
        f"""
        select cast(row_number() over (order by a.account_no, b.bill_id) as integer) as snap,
            a.account_no, a.as_of, b.bill_id as focus_bill
        from ({snapshots.select}) a
        join ledger_bills b
            on b.account_no = a.account_no and b.known_on = a.as_of and b.amount_minor > 0
            and (b.cancelled_on is null or b.cancelled_on > b.known_on)
        """,
        materialized=True,
    )


def observed_snapshots(last: date) -> Relation:
    """Every account on each day, up to the last, on which it was observed."""
    return Relation(
        "snapshots",
        f"""
        select cast(row_number() over (order by account_no, observed_on) as integer) as snap,
            account_no, observed_on as as_of
        from ledger_accounts
        where observed_on <= date '{last}'
        """,
        materialized=True,
    )


def single_snapshots(at: date | None) -> Relation:
    """Every account once: as of a date, or of no date at all for an account file."""
    day = f"date '{at}'" if at else "date '9999-12-31'"
    return Relation(
        "snapshots",
        f"""
        select account_no as snap, account_no, {day} as as_of
        from account_ids
        """,
        materialized=True,
    )
