"""What can make a balance at the source differ from the one here: each cause is a select.

A cause gives, for an account, the difference (the source's balance less the one here) that it would
make by itself, and the row that it comes from.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import date

NOT_EXPLAINED = "not_explained"


@dataclass(frozen=True, slots=True)
class _From:
    """A select of `effect`, `of_table`, `of_row` and `on_day`: the rows of `relation`, under the
    alias r, that meet `condition`. `table` is what a person calls them."""

    relation: str
    effect: str
    condition: str = "true"
    table: str | None = None
    row: str = "cast(null as varchar)"
    day: str = "cast(null as date)"
    grouped: str = ""

    def sql(self) -> str:
        named = f"'{self.table}'" if self.table else "cast(null as varchar)"
        return f"""
            select r.account_no,
                cast({self.effect} as bigint) as effect,
                {named} as of_table,
                {self.row} as of_row,
                {self.day} as on_day
            from {self.relation} r
            where r.account_no in (select account_no from tie where difference <> 0)
                and {self.condition}
            {self.grouped}
            """


@dataclass(frozen=True, slots=True)
class Cause:
    """`words` say what it is; `summed` that several such rows of an account may explain a
    difference together."""

    words: str
    rows: tuple[_From, ...] = ()
    summed: bool = False


def _bills(effect: str, condition: str) -> _From:
    return _From("ledger_bills", effect, condition, "bills", "r.bill_id", "r.due_on")


def _payments(effect: str, condition: str, *, taken_back: bool = False) -> _From:
    reverses = f"r.reverses is {'not ' if taken_back else ''}null"
    return _From(
        "ledger_payments",
        effect,
        f"not r.refund and {reverses} and {condition}",
        "payments",
        "coalesce(r.payment_id, 'without an id')",
        "r.paid_on",
    )


def _refunds(condition: str, *, sign: str = "") -> _From:
    """What refunds add to the balance; one that is reversed takes it away again."""
    row, day = "coalesce(r.payment_id, 'without an id')", "r.paid_on"
    effect = f"{sign}case when r.reverses is null or r.won_back then r.amount_minor "
    effect += "else -r.amount_minor end"
    return _From("ledger_payments", effect, f"r.refund and {condition}", "payments", row, day)


# What a reversal adds to the balance; one that gives back takes away.
_TAKES = "case when r.won_back then -r.amount_minor else r.amount_minor end"


def _aged(effect: str, condition: str) -> _From:
    return _From("ageing", effect, condition)


def _quarantined(table: str, effect: str, day: str) -> _From:
    condition = "r.fault is not null and r.amount_minor is not null"
    return _From(table, effect, condition, table, "'row ' || r.row_no", f"r.{day}")


_KNOWN = "r.known_on <= AS_OF"
_STANDS = f"{_KNOWN} and coalesce(r.cancelled_on > AS_OF, true)"

# In the order in which they are preferred where several would explain a difference. AS_OF stands
# for the as-of date.
CAUSES: dict[str, Cause] = {
    "quarantined": Cause(
        "set apart in quarantine",
        (
            _quarantined("bills", "r.amount_minor", "due_on"),
            _quarantined(
                "payments",
                "case when (r.reverses is null) <> r.refund then -r.amount_minor "
                "else r.amount_minor end",
                "paid_on",
            ),
        ),
        summed=True,
    ),
    "later": Cause(
        "dated after the as-of date, and at the source already",
        (
            _bills("r.amount_minor", "r.issued_on > AS_OF"),
            _bills("-r.amount_minor", f"{_KNOWN} and r.cancelled_on > AS_OF"),
            _payments("-r.amount_minor", "r.settled and r.paid_on > AS_OF"),
            _payments(_TAKES, "r.settled and r.paid_on > AS_OF", taken_back=True),
            _refunds("r.paid_on > AS_OF"),
        ),
        summed=True,
    ),
    "recorded_later": Cause(
        "recorded after the as-of date, and at the source already",
        (
            _bills("r.amount_minor", "r.issued_on <= AS_OF and r.known_on > AS_OF"),
            _payments("-r.amount_minor", "r.settled and r.paid_on <= AS_OF and r.known_on > AS_OF"),
            _refunds("r.paid_on <= AS_OF and r.known_on > AS_OF"),
            _payments(
                _TAKES,
                "r.settled and r.paid_on <= AS_OF and r.known_on > AS_OF",
                taken_back=True,
            ),
        ),
        summed=True,
    ),
    "cancelled": Cause(
        "cancelled, and still counted at the source",
        (_bills("r.amount_minor", f"{_KNOWN} and r.cancelled_on <= AS_OF"),),
        summed=True,
    ),
    "not_settled": Cause(
        "not settled, and counted at the source",
        (_payments("-r.amount_minor", f"{_KNOWN} and not r.settled"),),
        summed=True,
    ),
    "taken_back": Cause(
        "a reversal that the source does not have",
        (_payments(f"-({_TAKES})", f"{_KNOWN} and r.settled", taken_back=True),),
        summed=True,
    ),
    "refund": Cause(
        "a refund that the source does not have",
        (_refunds(_KNOWN, sign="-"),),
        summed=True,
    ),
    "credit": Cause(
        "credit that the source does not net off", (_aged("r.credit", "r.credit <> 0"),)
    ),
    "disputed": Cause(
        "a disputed amount, which the source leaves out", (_aged("-r.disputed", "r.disputed > 0"),)
    ),
    "not_due": Cause(
        "what is not past due, which the source leaves out", (_aged("-r.current", "r.current > 0"),)
    ),
    "duplicate": Cause(
        "rows that look the same, of which the source has one",
        (
            _From(
                "ledger_bills",
                "-r.amount_minor * (count(*) - 1)",
                _STANDS,
                "bills",
                "max(r.bill_id)",
                "r.due_on",
                "group by r.account_no, r.amount_minor, r.due_on having count(*) > 1",
            ),
            _From(
                "ledger_payments",
                "r.amount_minor * (count(*) - 1)",
                f"{_KNOWN} and r.settled and not r.refund and r.reverses is null",
                "payments",
                "coalesce(max(r.payment_id), 'without an id')",
                "r.paid_on",
                "group by r.account_no, r.amount_minor, r.paid_on having count(*) > 1",
            ),
        ),
    ),
    "payment_missing": Cause(
        "a payment that the source does not have",
        (_payments("r.amount_minor", f"{_KNOWN} and r.settled"),),
    ),
    "bill_missing": Cause(
        "a bill that the source does not have", (_bills("-r.amount_minor", _STANDS),)
    ),
    "payment_twice": Cause(
        "a payment that the source counts twice",
        (_payments("-r.amount_minor", f"{_KNOWN} and r.settled"),),
    ),
    "bill_twice": Cause(
        "a bill that the source counts twice", (_bills("r.amount_minor", _STANDS),)
    ),
    "absent": Cause("the source does not have the account"),
    "unknown": Cause("the account is not known here"),
    NOT_EXPLAINED: Cause("not explained"),
}


def causes_sql(as_of: date, quarantined: Container[str]) -> str:
    """A select of every possible cause for the accounts of the table `tie` that differ: account_no,
    effect, rank, cause, of_table, of_row and on_day. It reads the ledger, `ageing` and the staged
    tables that have `quarantined` rows."""
    parts = []
    for rank, (name, cause) in enumerate(CAUSES.items()):
        rows = [
            part.sql()
            for part in cause.rows
            if name != "quarantined" or part.relation in quarantined
        ]
        if not rows:
            continue
        each = " union all ".join(rows)
        parts.append(
            f"""
            select account_no, effect, {rank} as rank, '{name}' as cause, of_table, of_row, on_day
            from ({each})
            """
        )
        if cause.summed:
            parts.append(
                f"""
                select account_no, sum(effect), {rank}, '{name}',
                    cast(null as varchar),
                    count(*) || ' rows',
                    max(on_day)
                from ({each})
                group by account_no
                having count(*) > 1
                """
            )
    return "union all".join(parts).replace("AS_OF", f"date '{as_of}'")
