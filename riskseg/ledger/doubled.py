"""Rows that stand in a source twice: a file that was loaded two times makes everybody a payer."""

from __future__ import annotations

from collections.abc import Mapping

from riskseg.ledger.mapping import Mapped

# What makes rows alike in the tables whose rows need no id.
_ALIKE: Mapping[str, tuple[str, ...]] = {
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
# The share of rows that have a twin, from which on it is none.
NEARLY_ALL = 0.95


def can_be_doubled(mapped: Mapped) -> bool:
    return mapped.table.name in _ALIKE


def _rows(mapped: Mapped) -> str:
    no_id = " and payment_id is null" if mapped.table.name == "payments" else ""
    return f"{mapped.table.name} where fault is null{no_id}"


def looks_doubled_sql(mapped: Mapped) -> str:
    """Whether there are so few different rows that it is worth counting them exactly."""
    alike = ", ".join(_ALIKE[mapped.table.name])
    return f"""
        select count(*) >= {LEAST_ROWS}
            and approx_count_distinct(hash({alike})) < 0.65 * count(*)
        from {_rows(mapped)}
        """


def doubled_sql(mapped: Mapped) -> str:
    """How many rows there are, and how many of them stand there more than once."""
    return f"""
        select cast(sum(n) as bigint), cast(coalesce(sum(n) filter (where n > 1), 0) as bigint)
        from (
            select count(*) as n
            from {_rows(mapped)}
            group by {", ".join(_ALIKE[mapped.table.name])}
        )
        """
