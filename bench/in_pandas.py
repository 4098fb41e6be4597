"""The same features as an analyst would first write them in pandas: sort, cumsum, merge, groupby.

python bench/in_pandas.py DATA AS_OF OUT
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

ARREARS = 500
# After every date there is.
NEVER = pd.Timestamp("9999-12-31").as_unit("s")


def main(data: str, as_of: str, out: str) -> None:
    d = pd.Timestamp(as_of)
    day = pd.Timedelta(days=1)
    bills = pd.read_parquet(f"{data}/bills.parquet")
    payments = pd.read_parquet(f"{data}/payments.parquet")
    for frame in (bills, payments):
        for column in [c for c in frame if c.endswith("_on")]:
            frame[column] = pd.to_datetime(frame[column])
        frame["minor"] = (frame["amount"].astype(float) * 100).round().astype("int64")
    bills = bills[bills.issued_on <= d].sort_values(["account_id", "due_on", "issued_on", "minor"])
    payments = payments[payments.paid_on <= d].sort_values(["account_id", "paid_on"])
    bills["far_end"] = bills.groupby("account_id").minor.cumsum()
    payments["reached"] = payments.groupby("account_id").minor.cumsum()
    bills["mark"] = (bills.far_end - (ARREARS - 1)).clip(lower=0)
    bills = pd.merge_asof(
        bills.sort_values("mark"),
        payments[["account_id", "paid_on", "reached"]].sort_values("reached"),
        left_on="mark",
        right_on="reached",
        by="account_id",
        direction="forward",
    ).rename(columns={"paid_on": "cleared_on"})
    total = payments.groupby("account_id").minor.sum()
    pooled = bills.account_id.map(total).fillna(0)
    bills["paid"] = (pooled - (bills.far_end - bills.minor)).clip(lower=0)
    bills["paid"] = np.minimum(bills.paid, bills.minor)
    due = bills.due_on < d
    bills["overdue"] = (bills.minor - bills.paid).where(due, 0)
    late = (bills.cleared_on.fillna(d) - bills.due_on) // day
    bills["dpd"] = late.clip(lower=0).where(due, 0)
    is_open = bills.cleared_on.isna()

    def window(days: int) -> pd.Series:
        return (bills.due_on > d - days * day) & (bills.due_on <= d)

    def count(mask: pd.Series) -> pd.Series:
        return bills[mask].groupby("account_id").size()

    def total_of(column: str, mask: pd.Series) -> pd.Series:
        return bills[mask].groupby("account_id")[column].sum()

    def most(column: str, mask: pd.Series) -> pd.Series:
        return bills[mask].groupby("account_id")[column].max()

    w3, w6, w12 = window(91), window(182), window(365)
    made = pd.DataFrame(index=pd.Index(sorted(bills.account_id.unique()), name="account_id"))
    made["balance_overdue"] = total_of("overdue", due) / 100
    made["days_past_due"] = most("dpd", is_open)
    made["overdue_bills"] = count(is_open & (bills.dpd > 0))
    made["missed_bills"] = count(is_open & (bills.dpd > 0) & (bills.paid == 0))
    for name, low, high in (
        ("1_30", 1, 30),
        ("31_60", 31, 60),
        ("61_90", 61, 90),
        ("90_plus", 91, 1e9),
    ):
        made[f"overdue_{name}"] = total_of("overdue", bills.dpd.between(low, high)) / 100
    for name, mask in (("3m", w3), ("6m", w6), ("12m", w12)):
        made[f"late_bills_{name}"] = count(mask & (bills.dpd > 0))
    made["late14_bills_6m"] = count(w6 & (bills.dpd > 14))
    made["late30_bills_12m"] = count(w12 & (bills.dpd > 30))
    made["late60_bills_12m"] = count(w12 & (bills.dpd > 60))
    made["max_dpd_3m"] = most("dpd", w3)
    made["max_dpd_12m"] = most("dpd", w12)
    made["days_late_6m"] = total_of("dpd", w6)
    made["days_late_12m"] = total_of("dpd", w12)
    bills["early"] = (bills.due_on - bills.cleared_on) // day
    is_early = bills.cleared_on < bills.due_on
    made["days_early_6m"] = total_of("early", w6 & is_early)
    made["days_early_12m"] = total_of("early", w12 & is_early)
    bills["known_for"] = (d - bills.issued_on) // day
    made["open_bills"] = count(is_open)
    made["oldest_open_bill"] = most("known_for", is_open)
    made["bills_6m"] = count(w6)
    made["bills_12m"] = count(w12)
    made["billed_6m"] = total_of("minor", w6) / 100
    made["billed_12m"] = total_of("minor", w12) / 100
    made["settled_6m"] = total_of("paid", w6) / 100
    made["part_paid_bills_6m"] = count(w6 & (bills.paid > 0) & (bills.paid < bills.minor))
    made = made.fillna(0)
    lately = bills.due_on > d - 365 * day
    latest = bills[lately].sort_values("due_on").groupby("account_id").last()
    made["latest_bill"] = latest.minor / 100
    made["latest_terms"] = (latest.due_on - latest.issued_on) // day
    made["next_due_on"] = bills[bills.due_on > d].groupby("account_id").due_on.min()
    by_account = payments.groupby("account_id").paid_on
    made["days_since_payment"] = (d - by_account.max()) // day
    for name, days in (("3m", 91), ("12m", 365)):
        recent = payments[payments.paid_on > d - days * day]
        counts = recent.groupby("account_id").size().reindex(made.index).fillna(0)
        made[f"payments_{name}"] = counts.where(made.days_since_payment.notna())
    for name in ("6m", "12m"):
        beyond = made[f"days_late_{name}"] - made[f"days_early_{name}"]
        made[f"days_beyond_terms_{name}"] = (beyond / made[f"bills_{name}"]).round(2)
    made["average_days_late_12m"] = (made.days_late_12m / made.bills_12m).round(2)
    made["payment_ratio_6m"] = (made.settled_6m / made.billed_6m).round(4)
    made["on_time_share_12m"] = ((made.bills_12m - made.late_bills_12m) / made.bills_12m).round(4)
    made["latest_against_average"] = (made.latest_bill * made.bills_12m / made.billed_12m).round(4)
    first = bills.groupby("account_id").issued_on.min()
    made["first_billed_on"] = first
    made["months_on_book"] = ((d - first) // day) // 30
    overdue = bills[due & (is_open | (bills.cleared_on > bills.due_on))]
    overdue = overdue[overdue.account_id.map(made.balance_overdue) >= ARREARS / 100]
    overdue = overdue.sort_values(["account_id", "due_on"])
    until = overdue.cleared_on.fillna(NEVER).groupby(overdue.account_id).cummax()
    before = until.groupby(overdue.account_id).shift()
    begun = overdue[before.isna() | (before <= overdue.due_on)]
    made["episode_started_on"] = begun.groupby("account_id").due_on.max() + day
    made.to_parquet(out)


if __name__ == "__main__":
    main(*sys.argv[1:4])
