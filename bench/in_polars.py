"""The same features as the floor's, written in polars: lazy frames, one group-by of all bills.

python bench/in_polars.py DATA AS_OF OUT
"""

from __future__ import annotations

import sys
from datetime import date, timedelta

import polars as pl

ARREARS = 500
# After every date there is.
NEVER = date(9999, 12, 31)


def main(data: str, as_of: str, out: str) -> None:
    d = date.fromisoformat(as_of)
    minor = (pl.col("amount") * 100).cast(pl.Int64).alias("minor")
    payments = (
        pl.scan_parquet(f"{data}/payments.parquet")
        .filter(pl.col("paid_on") <= d)
        .select("account_id", "paid_on", minor)
        .sort("account_id", "paid_on")
        .with_columns(reached=pl.col("minor").cum_sum().over("account_id"))
    )
    bills = _allocated(data, d, minor, payments)
    made = (
        bills.group_by("account_id")
        .agg(**_of_bills(d))
        .join(_of_payments(payments, d), on="account_id", how="left")
        .join(_episodes(bills, d), on="account_id", how="left")
        .with_columns(**_ratios(d))
        .sort("account_id")
    )
    made.collect().write_parquet(out)


def _allocated(data: str, d: date, minor: pl.Expr, payments: pl.LazyFrame) -> pl.LazyFrame:
    """Bills with what is paid of each, when it was cleared, and how late it is."""
    bills = (
        pl.scan_parquet(f"{data}/bills.parquet")
        .filter(pl.col("issued_on") <= d)
        .select("account_id", "issued_on", "due_on", minor)
        .sort("account_id", "due_on", "issued_on", "minor")
        .with_columns(far_end=pl.col("minor").cum_sum().over("account_id"))
        .with_columns(mark=(pl.col("far_end") - (ARREARS - 1)).clip(lower_bound=0))
    )
    total = payments.group_by("account_id").agg(pooled=pl.col("minor").sum())
    before = pl.col("far_end") - pl.col("minor")
    is_due = pl.col("due_on") < d
    paid = pl.min_horizontal((pl.col("pooled") - before).clip(lower_bound=0), "minor")
    late = (pl.col("cleared_on").fill_null(d) - pl.col("due_on")).dt.total_days()
    return (
        bills.join_asof(
            payments.select("account_id", "reached", cleared_on="paid_on"),
            left_on="mark",
            right_on="reached",
            by="account_id",
            strategy="forward",
            check_sortedness=False,
        )
        .join(total, on="account_id", how="left", maintain_order="left")
        .with_columns(pooled=pl.col("pooled").fill_null(0))
        .with_columns(paid=paid)
        .with_columns(
            overdue=pl.when(is_due).then(pl.col("minor") - pl.col("paid")).otherwise(0),
            dpd=pl.when(is_due).then(late.clip(lower_bound=0)).otherwise(0),
        )
    )


def _of_bills(d: date) -> dict[str, pl.Expr]:
    """The features of an account's bills, which are in the order they fall due."""
    due, dpd, overdue = pl.col("due_on"), pl.col("dpd"), pl.col("overdue")
    is_open = pl.col("cleared_on").is_null()
    windows = {
        name: (due > d - timedelta(days=days)) & (due <= d)
        for name, days in (("3m", 91), ("6m", 182), ("12m", 365))
    }
    w3, w6, w12 = windows.values()
    lately = due > d - timedelta(days=365)
    ages = {"1_30": (1, 30), "31_60": (31, 60), "61_90": (61, 90), "90_plus": (91, 10**6)}
    early = (due - pl.col("cleared_on")).dt.total_days()
    is_early = pl.col("cleared_on") < due
    known_for = (pl.lit(d) - pl.col("issued_on")).dt.total_days()
    return {
        "balance_overdue": overdue.sum() / 100,
        "days_past_due": dpd.filter(is_open).max().fill_null(0),
        "overdue_bills": (is_open & (dpd > 0)).sum(),
        "missed_bills": (is_open & (dpd > 0) & (pl.col("paid") == 0)).sum(),
        **{
            f"overdue_{name}": overdue.filter(dpd.is_between(low, high)).sum() / 100
            for name, (low, high) in ages.items()
        },
        **{f"late_bills_{name}": (within & (dpd > 0)).sum() for name, within in windows.items()},
        "late14_bills_6m": (w6 & (dpd > 14)).sum(),
        "late30_bills_12m": (w12 & (dpd > 30)).sum(),
        "late60_bills_12m": (w12 & (dpd > 60)).sum(),
        "max_dpd_3m": dpd.filter(w3).max().fill_null(0),
        "max_dpd_12m": dpd.filter(w12).max().fill_null(0),
        "days_late_6m": dpd.filter(w6).sum(),
        "days_late_12m": dpd.filter(w12).sum(),
        "days_early_6m": early.filter(w6 & is_early).sum(),
        "days_early_12m": early.filter(w12 & is_early).sum(),
        "open_bills": is_open.sum(),
        "oldest_open_bill": known_for.filter(is_open).max().fill_null(0),
        "bills_6m": w6.sum(),
        "bills_12m": w12.sum(),
        "billed_6m": pl.col("minor").filter(w6).sum() / 100,
        "billed_12m": pl.col("minor").filter(w12).sum() / 100,
        "settled_6m": pl.col("paid").filter(w6).sum() / 100,
        "part_paid_bills_6m": (
            w6 & (pl.col("paid") > 0) & (pl.col("paid") < pl.col("minor"))
        ).sum(),
        "latest_bill": pl.col("minor").filter(lately).last() / 100,
        "latest_terms": (due - pl.col("issued_on")).dt.total_days().filter(lately).last(),
        "next_due_on": due.filter((due > d) & (is_open | (overdue > 0) | (due >= d))).min(),
        "first_billed_on": pl.col("issued_on").min(),
    }


def _of_payments(payments: pl.LazyFrame, d: date) -> pl.LazyFrame:
    paid_on = pl.col("paid_on")
    return payments.group_by("account_id").agg(
        payments_3m=(paid_on > d - timedelta(days=91)).sum(),
        payments_12m=(paid_on > d - timedelta(days=365)).sum(),
        days_since_payment=(pl.lit(d) - paid_on.max()).dt.total_days(),
    )


def _episodes(bills: pl.LazyFrame, d: date) -> pl.LazyFrame:
    """The day on which the arrears of each account began that has any."""
    due, cleared = pl.col("due_on"), pl.col("cleared_on")
    until = cleared.fill_null(NEVER).cum_max().shift().over("account_id")
    return (
        bills.filter(pl.col("overdue").sum().over("account_id") >= ARREARS)
        .filter((due < d) & (cleared.is_null() | (cleared > due)))
        .with_columns(until=until)
        .filter(pl.col("until").is_null() | (pl.col("until") <= due))
        .group_by("account_id")
        .agg(episode_started_on=due.max() + pl.duration(days=1))
    )


def _ratios(d: date) -> dict[str, pl.Expr]:
    def share(part: pl.Expr, whole: str, digits: int) -> pl.Expr:
        return pl.when(pl.col(whole) != 0).then((part / pl.col(whole)).round(digits))

    col = pl.col
    return {
        "average_days_late_12m": share(col("days_late_12m"), "bills_12m", 2),
        "days_beyond_terms_6m": share(col("days_late_6m") - col("days_early_6m"), "bills_6m", 2),
        "days_beyond_terms_12m": share(
            col("days_late_12m") - col("days_early_12m"), "bills_12m", 2
        ),
        "payment_ratio_6m": share(col("settled_6m"), "billed_6m", 4),
        "on_time_share_12m": share(col("bills_12m") - col("late_bills_12m"), "bills_12m", 4),
        "latest_against_average": share(col("latest_bill") * col("bills_12m"), "billed_12m", 4),
        "months_on_book": (pl.lit(d) - col("first_billed_on")).dt.total_days() // 30,
    }


if __name__ == "__main__":
    main(*sys.argv[1:4])
