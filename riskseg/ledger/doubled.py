"""Rows that stand in a source twice: a file that was loaded two times makes everybody a payer, or
doubles what is owed. The second copy may have ids of its own."""

from __future__ import annotations

from collections.abc import Mapping

from riskseg.domain.relations import fact_column
from riskseg.ledger.mapping import Mapped

# What makes rows alike, but for their id and the day on which they were recorded.
_ALIKE: Mapping[str, tuple[str, ...]] = {
    "bills": ("account_no", "due_on", "issued_on", "amount_minor", "disputed", "cancelled_on"),
    "payments": (
        "account_no",
        "paid_on",
        "amount_minor",
        "settled",
        "pending",
        "refund",
        "bill_id",
        "reverses",
        "method",
    ),
    "events": (
        "account_no",
        "happened_on",
        "kind",
        "amount_minor",
        "channel",
        "outcome",
        "until",
        "ref",
        "bill_id",
    ),
}
# Of fewer rows it may be chance.
LEAST_ROWS = 20
# Up to this share of rows are alike by chance. In seven public files of bills and payments it was
# 3% at most: parts of one invoice, say, or two payments of one amount on a day.
BY_CHANCE = 0.1


def can_be_doubled(mapped: Mapped) -> bool:
    return mapped.table.name in _ALIKE


def _alike(mapped: Mapped) -> str:
    attributes = mapped.attributes if mapped.table.name == "bills" else ()
    return ", ".join([*_ALIKE[mapped.table.name], *map(fact_column, attributes)])


def looks_doubled_sql(mapped: Mapped) -> str:
    """Whether there are so few different rows that it is worth counting them exactly."""
    return f"""
        select count(*) >= {LEAST_ROWS}
            and approx_count_distinct(hash({_alike(mapped)})) < 0.95 * count(*)
        from {mapped.table.name}
        where fault is null
        """


def doubled_sql(mapped: Mapped) -> str:
    """How many rows there are, and how many of them stand there more than once."""
    return f"""
        select cast(sum(n) as bigint), cast(coalesce(sum(n) filter (where n > 1), 0) as bigint)
        from (
            select count(*) as n
            from {mapped.table.name}
            where fault is null
            group by {_alike(mapped)}
        )
        """
