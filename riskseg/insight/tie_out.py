"""Tying out: the balances by age against the source's own, and what explains each difference.

An explanation is a row of the ledger, or of its quarantine, that would make up the difference by
itself: a payment of that amount which was recorded later, a bill that the source has cancelled. It
is likely, not certain: another cause may have the same amount, and `others` says how many have.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from riskseg.domain.ageing import BUCKETS
from riskseg.domain.relations import from_minor
from riskseg.insight.ageing import AgedAccounts
from riskseg.insight.insight import Insight
from riskseg.insight.tie_causes import CAUSES, NOT_EXPLAINED, causes_sql
from riskseg.pipeline.source_balances import SourceBalances
from riskseg.results.ageing import TieBucket, TieCause, TieDifference, TieOut

# As many differences as a result lists.
LARGEST = 20


class TiedAccounts:
    """Every account with a balance on either side, beside the source's own balance.

    `engine` holds them as the table `tied`: account_no (null for one that is not known here),
    account_id, balance, source (null where the source has none), difference (source less balance)
    in minor units; and, of those that differ, cause, of_table, of_row, on_day and others.
    """

    def __init__(self, aged: AgedAccounts, balances: SourceBalances) -> None:
        self.aged, self.balances, self.engine = aged, balances, aged.engine
        self.engine.run(_TIE)
        bad_tables = {bad_rows.table for bad_rows in aged.ledger.bad}
        self.engine.run(_tied(causes_sql(aged.as_of, bad_tables)))

    @staticmethod
    def columns(tied: str, scale: int) -> list[str]:
        """What `tied` says of an account, as columns of its row."""
        amounts = [
            f"{from_minor(f'{tied}.{name}', scale)} as {written}"
            for name, written in (("source", "source_balance"), ("difference", "difference"))
        ]
        return [
            *amounts,
            f"{tied}.cause as cause",
            f"{tied}.of_table as cause_table",
            f"{tied}.of_row as cause_row",
            f"{tied}.on_day as cause_on",
        ]


# A balance that the source leaves out of its rows is not compared; an account that only one side
# has is compared where its balance there is not 0.
_TIE = """
    create temp table tie as
    select coalesce(a.account_no, s.account_no) as account_no,
        coalesce(s.account_id, i.account_id) as account_id,
        coalesce(a.balance, 0) as balance,
        s.balance as source,
        coalesce(s.balance, 0) - coalesce(a.balance, 0) as difference
    from ageing a
    join account_ids i on i.account_no = a.account_no
    full join source_balances s on s.account_no = a.account_no
    where (s.balance is not null and (a.account_no is not null or s.balance <> 0))
        or (s.account_id is null and a.balance <> 0)
    """


def _tied(causes: str) -> str:
    return f"""
    create temp table tied as
    with causes as ({causes}),
    fitting as (
        select c.account_no, c.cause, c.of_table, c.of_row, c.on_day,
            count(*) over (partition by c.account_no) - 1 as others
        from causes c
        join tie t on t.account_no = c.account_no and t.difference = c.effect
        where t.difference <> 0
        qualify row_number() over (
            partition by c.account_no
            order by c.rank, c.on_day nulls last, c.of_table nulls last, c.of_row nulls last
        ) = 1
    )
    select t.*,
        case
            when t.difference = 0 then null
            when t.account_no is null then 'unknown'
            when t.source is null then 'absent'
            else coalesce(f.cause, '{NOT_EXPLAINED}')
        end as cause,
        f.of_table, f.of_row, f.on_day,
        coalesce(f.others, 0) as others
    from tie t
    left join fitting f on f.account_no = t.account_no and t.source is not null
    """


class TieOutInsight(Insight[TiedAccounts, TieOut]):
    """How many accounts agree, what the differences add up to, and what explains them."""

    name = "tie_out"
    question = "Do the balances agree with those of the source, and if not, why?"
    about = TiedAccounts

    def answer(self, subject: TiedAccounts) -> TieOut:
        compared, agree, absent, unknown, explained, ours, theirs = subject.engine.rows(
            f"""
            select
                count(*),
                count(*) filter (where difference = 0),
                count(*) filter (where cause = 'absent'),
                count(*) filter (where cause = 'unknown'),
                count(*) filter (where cause <> '{NOT_EXPLAINED}'),
                sum(balance),
                sum(source)
            from tied
            """
        )[0]
        amount = subject.aged.amount
        return TieOut(
            against=subject.balances.against,
            compared=compared,
            agree=agree,
            differ=compared - agree,
            absent=absent,
            unknown=unknown,
            balance=amount(ours),
            source=amount(theirs),
            difference=amount(theirs) - amount(ours),
            explained=explained,
            causes=_causes(subject),
            largest=_largest(subject),
            buckets=_buckets(subject),
            notes=tuple(subject.balances.notes),
        )


TIE_OUT = TieOutInsight()


def _causes(subject: TiedAccounts) -> tuple[TieCause, ...]:
    counts = subject.engine.rows(
        """
        select cause, count(*), sum(difference)
        from tied
        where cause is not null
        group by cause
        order by count(*) desc, cause
        """
    )
    return tuple(
        TieCause(
            cause=cause,
            words=CAUSES[cause].words,
            accounts=accounts,
            difference=subject.aged.amount(difference),
        )
        for cause, accounts, difference in counts
    )


def _largest(subject: TiedAccounts) -> tuple[TieDifference, ...]:
    rows = subject.engine.rows(
        f"""
        select account_id, balance, source, difference, cause, of_table, of_row, on_day, others
        from tied
        where difference <> 0
        order by abs(difference) desc, account_id
        limit {LARGEST}
        """
    )
    return tuple(_difference(subject, *row) for row in rows)


def _difference(
    subject: TiedAccounts,
    account_id: str,
    balance: int,
    source: int | None,
    difference: int,
    cause: str,
    *of_row: Any,
) -> TieDifference:
    amount, (table, row, day, others) = subject.aged.amount, of_row
    return TieDifference(
        account_id=account_id,
        balance=amount(balance),
        source=None if source is None else amount(source),
        difference=amount(difference),
        cause=cause,
        words=CAUSES[cause].words,
        table=table,
        row=row,
        day=day,
        others=others,
    )


def _buckets(subject: TiedAccounts) -> tuple[TieBucket, ...]:
    """The buckets that the source has, summed over the accounts that are compared."""
    labels = {bucket.column: bucket.label for bucket in BUCKETS}
    compared = []
    for column in subject.balances.buckets:
        ours, theirs, differing = subject.engine.rows(
            f"""
            select
                sum(a.{column}),
                sum(s.{column}),
                count(*) filter (where coalesce(a.{column}, 0) <> coalesce(s.{column}, 0))
            from source_balances s
            left join ageing a on a.account_no = s.account_no
            where s.balance is not null
            """
        )[0]
        amount: Decimal = subject.aged.amount(ours)
        source: Decimal = subject.aged.amount(theirs)
        compared.append(
            TieBucket(
                bucket=labels[column],
                amount=amount,
                source=source,
                difference=source - amount,
                accounts=differing,
            )
        )
    return tuple(compared)
