"""Receivables by age: what accounts owe as of a date, and whether the ledger says the same."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from riskseg.domain.ageing import BUCKETS, CURRENT, bucket_sql
from riskseg.domain.relations import Relation, fact_column
from riskseg.engine import Engine
from riskseg.features.snapshots import as_of_snapshots
from riskseg.insight.insight import Insight
from riskseg.ledger.accounts import account_rows
from riskseg.ledger.ageing import AMOUNTS, LEDGER_AMOUNTS, aged_accounts, ledger_balances
from riskseg.ledger.allocation import bill_facts
from riskseg.pipeline.contracts import build
from riskseg.pipeline.load import Ledger
from riskseg.results.ageing import AgedGroup, AgedTotals, BucketTotal, LedgerTotal


class AgedAccounts:
    """The accounts there are as of a date, by age.

    `engine` holds them as the table `ageing`, a row for each account, with the columns account_no
    (a key of the table `account_ids`), days_past_due, bucket (the label of the one in which these
    lie), the `AMOUNTS` and `LEDGER_AMOUNTS` and ledger_balance in minor units, and grouping, the
    value of the attribute `by` as a text: null where it is not known, or none is asked for.
    """

    def __init__(
        self, engine: Engine, ledger: Ledger, scale: int, as_of: date, by: str | None = None
    ) -> None:
        self.engine, self.ledger, self.scale = engine, ledger, scale
        self.as_of, self.by = as_of, by
        self._begun = False

    def add(self, first: int, last: int) -> None:
        """Age the accounts of a range: those that exist as of the date, and any others of which
        money is known by then, so that none of it is left out of the total."""
        ledger = self.ledger
        existing = as_of_snapshots(
            self.as_of, first, last, listed=ledger.listed, dated=ledger.dated
        )
        snapshots = f"""
        select account_no as snap, account_no, date '{self.as_of}' as as_of
        from account_ids
        where account_no between {first} and {last}
        """
        relations = [
            Relation("snapshots", snapshots, materialized=True),
            *bill_facts(ledger.money),
            *aged_accounts(),
            *ledger_balances(ledger.money),
            account_rows([self.by] if self.by else [], dated=ledger.dated),
            Relation("existing", existing.select),
            Relation("aged", self._aged(), materialized=True),
        ]
        build(self.engine, relations)
        into = "insert into ageing" if self._begun else "create temp table ageing as"
        self.engine.run(f"{into} select * from aged")
        self._begun = True

    def _aged(self) -> str:
        grouping = f"cast(r.{fact_column(self.by)} as varchar)" if self.by else "null::varchar"
        return f"""
        select g.account_no,
            {grouping} as grouping,
            cast(g.days_past_due as integer) as days_past_due,
            {bucket_sql("g.days_past_due")} as bucket,
            {", ".join(f"cast(g.{name} as bigint) as {name}" for name in AMOUNTS)},
            {", ".join(f"cast(l.{name} as bigint) as {name}" for name in LEDGER_AMOUNTS)},
            cast(l.ledger_balance as bigint) as ledger_balance
        from aged_accounts g
        join ledger_balances l on l.account_no = g.account_no
        left join account_rows r on r.snap = g.account_no
        where {" or ".join(f"l.{name} <> 0" for name in LEDGER_AMOUNTS)}
            or g.account_no in (select account_no from existing)
        """

    def amount(self, minor: Any) -> Decimal:
        """Minor units as the amount they stand for."""
        return Decimal(int(minor or 0)).scaleb(-self.scale)


class Ageing(Insight[AgedAccounts, AgedTotals]):
    """What is unpaid by its age, all together and by group, beside the sum of the ledger's rows."""

    name = "ageing"
    question = "What do accounts owe, and how long has it been past due?"
    about = AgedAccounts

    def answer(self, subject: AgedAccounts) -> AgedTotals:
        (total,) = _groups(subject)
        return AgedTotals(
            total=total,
            groups=_groups(subject, by="grouping") if subject.by else (),
            ledger=_ledger(subject, total.balance),
        )


AGEING = Ageing()


def _groups(subject: AgedAccounts, by: str | None = None) -> tuple[AgedGroup, ...]:
    """The totals by a column, in the order of its values; without one, that of all accounts, even
    where there are none."""
    of_buckets = "".join(
        f""",
            count(*) filter (where bucket = '{bucket.label}'),
            count(*) filter (where {bucket.column} <> 0),
            sum({bucket.column})"""
        for bucket in BUCKETS
    )
    grouped_rows = subject.engine.rows(
        f"""
        select {by or "null"} as value,
            count(*),
            sum(disputed),
            sum(credit),
            sum(balance){of_buckets}
        from ageing
        group by {by or "()"}
        order by value nulls last
        """
    )
    return tuple(_group(subject, *grouped_row) for grouped_row in grouped_rows)


def _group(
    subject: AgedAccounts,
    value: str | None,
    accounts: int,
    disputed: int,
    credit: int,
    balance: int,
    *of_buckets: int,
) -> AgedGroup:
    buckets = tuple(
        BucketTotal(
            bucket=bucket.label,
            accounts=of_buckets[3 * number],
            holding=of_buckets[3 * number + 1],
            amount=subject.amount(of_buckets[3 * number + 2]),
        )
        for number, bucket in enumerate(BUCKETS)
    )
    overdue = (bucket.amount for bucket in buckets if bucket.bucket != CURRENT.label)
    return AgedGroup(
        value=value,
        accounts=accounts,
        buckets=buckets,
        overdue=sum(overdue, subject.amount(0)),
        disputed=subject.amount(disputed),
        credit=subject.amount(credit),
        balance=subject.amount(balance),
    )


def _ledger(subject: AgedAccounts, balance: Decimal) -> LedgerTotal:
    sums = ", ".join(f"sum({name})" for name in (*LEDGER_AMOUNTS, "ledger_balance"))
    *amounts, ledger_balance, accounts = subject.engine.rows(
        f"select {sums}, count(*) filter (where balance <> ledger_balance) from ageing"
    )[0]
    of_ledger = dict(zip(LEDGER_AMOUNTS, map(subject.amount, amounts), strict=True))
    return LedgerTotal(
        **of_ledger,
        balance=subject.amount(ledger_balance),
        difference=balance - subject.amount(ledger_balance),
        accounts=accounts,
    )
