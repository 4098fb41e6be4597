"""The floor: the leanest way we know to the same features and probabilities, by hand.

One DuckDB query over the source files for the features, `Booster.predict` for each model, one
Parquet write of the probabilities. No contract, no quarantine, no named payments, reversals,
credits or holds, no strategy, no reasons, no partitions. What riskseg costs beyond this is what
those cost.

    python bench/floor.py DATA AS_OF OUT MODEL_FOLDER…

Without a folder of a model, it writes the features.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb
import lightgbm as lgb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ARREARS = 500  # five pounds, in pence


def features_sql(data: str, as_of: str) -> str:
    """All features that household-utility and its models read, one row an account."""
    d = f"date '{as_of}'"
    due12, due6, due3 = (f"due_on > {d} - {n} and due_on <= {d}" for n in (365, 182, 91))
    lately = f"due_on > {d} - 365"
    is_open = f"(cleared_on is null or overdue > 0 or due_on >= {d})"
    return f"""
    with b as (
        select account_id, issued_on, due_on, cast(amount * 100 as bigint) as minor,
            cast(sum(cast(amount * 100 as bigint)) over (partition by account_id
                order by due_on, issued_on, amount rows unbounded preceding) as bigint) as far_end
        from '{data}/bills.parquet' where issued_on <= {d}),
    p as (
        select account_id, paid_on, cast(sum(cast(amount * 100 as bigint)) over (partition by
            account_id order by paid_on rows unbounded preceding) as bigint) as reached
        from '{data}/payments.parquet' where paid_on <= {d}),
    paid as (
        select account_id, max(reached) as reached, max(paid_on) as last_paid_on,
            count(*) filter (where paid_on > {d} - 91) as payments_3m,
            count(*) filter (where paid_on > {d} - 365) as payments_12m from p group by 1),
    met as (
        select *, min(paid_on) over (partition by account_id order by mark desc, is_money desc
            rows unbounded preceding) as cleared_on
        from (select account_id, greatest(far_end - {ARREARS - 1}, 0) as mark, 0 as is_money,
                  null::date as paid_on, issued_on, due_on, minor, far_end from b
              union all select account_id, reached, 1, paid_on, null, null, null, null from p)),
    f as (
        select m.account_id, issued_on, due_on, minor, cleared_on,
            least(greatest(coalesce(reached, 0) - (far_end - minor), 0), minor) as paid,
            case when due_on < {d} then minor - least(greatest(coalesce(reached, 0)
                - (far_end - minor), 0), minor) else 0 end as overdue,
            case when due_on < {d} then greatest(coalesce(cleared_on, {d}) - due_on, 0)
                else 0 end as dpd
        from met m left join paid using (account_id) where is_money = 0),
    spans as (
        select account_id, due_on, max(coalesce(cleared_on, date '9999-12-31')) over
            (partition by account_id order by due_on rows between unbounded preceding
             and 1 preceding) as until
        from f where due_on < {d} and (cleared_on is null or cleared_on > due_on)
            and account_id in
                (select account_id from f group by 1 having sum(overdue) >= {ARREARS})),
    e as (select account_id, max(due_on) + 1 as episode_started_on from spans
          where until is null or until <= due_on group by 1),
    a as (
        select account_id,
            sum(overdue) / 100 as balance_overdue,
            coalesce(max(dpd) filter (where cleared_on is null), 0) as days_past_due,
            count(*) filter (where cleared_on is null and dpd > 0) as overdue_bills,
            count(*) filter (where cleared_on is null and dpd > 0 and paid = 0) as missed_bills,
            coalesce(sum(overdue) filter (where dpd between 1 and 30), 0) / 100 as overdue_1_30,
            coalesce(sum(overdue) filter (where dpd between 31 and 60), 0) / 100 as overdue_31_60,
            coalesce(sum(overdue) filter (where dpd between 61 and 90), 0) / 100 as overdue_61_90,
            coalesce(sum(overdue) filter (where dpd > 90), 0) / 100 as overdue_90_plus,
            count(*) filter (where {due3} and dpd > 0) as late_bills_3m,
            count(*) filter (where {due6} and dpd > 0) as late_bills_6m,
            count(*) filter (where {due12} and dpd > 0) as late_bills_12m,
            count(*) filter (where {due6} and dpd > 14) as late14_bills_6m,
            count(*) filter (where {due12} and dpd > 30) as late30_bills_12m,
            count(*) filter (where {due12} and dpd > 60) as late60_bills_12m,
            coalesce(max(dpd) filter (where {due3}), 0) as max_dpd_3m,
            coalesce(max(dpd) filter (where {due12}), 0) as max_dpd_12m,
            coalesce(sum(dpd) filter (where {due6}), 0) as days_late_6m,
            coalesce(sum(dpd) filter (where {due12}), 0) as days_late_12m,
            coalesce(sum(due_on - cleared_on) filter (where {due6} and cleared_on < due_on), 0)
                as days_early_6m,
            coalesce(sum(due_on - cleared_on) filter (where {due12} and cleared_on < due_on), 0)
                as days_early_12m,
            count(*) filter (where cleared_on is null) as open_bills,
            coalesce(max({d} - issued_on) filter (where cleared_on is null), 0)
                as oldest_open_bill,
            count(*) filter (where {due6}) as bills_6m,
            count(*) filter (where {due12}) as bills_12m,
            coalesce(sum(minor) filter (where {due6}), 0) / 100 as billed_6m,
            coalesce(sum(minor) filter (where {due12}), 0) / 100 as billed_12m,
            coalesce(sum(paid) filter (where {due6}), 0) / 100 as settled_6m,
            count(*) filter (where {due6} and paid > 0 and paid < minor) as part_paid_bills_6m,
            arg_max(minor, due_on) filter (where {lately}) / 100 as latest_bill,
            arg_max(due_on - issued_on, due_on) filter (where {lately}) as latest_terms,
            min(due_on) filter (where {is_open} and due_on > {d}) as next_due_on,
            min(issued_on) as first_billed_on
        from f group by account_id)
    select account_id, a.* exclude (account_id), payments_3m, payments_12m,
        {d} - last_paid_on as days_since_payment,
        round(days_late_12m / nullif(bills_12m, 0), 2) as average_days_late_12m,
        round((days_late_6m - days_early_6m) / nullif(bills_6m, 0), 2) as days_beyond_terms_6m,
        round((days_late_12m - days_early_12m) / nullif(bills_12m, 0), 2)
            as days_beyond_terms_12m,
        round(settled_6m / nullif(billed_6m, 0), 4) as payment_ratio_6m,
        round((bills_12m - late_bills_12m) / nullif(bills_12m, 0), 4) as on_time_share_12m,
        round(latest_bill * bills_12m / nullif(billed_12m, 0), 4) as latest_against_average,
        floor(({d} - first_billed_on) / 30) as months_on_book, episode_started_on
    from a left join paid using (account_id) left join e using (account_id)"""


def main(data: str, as_of: str, out: str, folders: list[str]) -> None:
    connection = duckdb.connect(config={"preserve_insertion_order": False})
    names = {
        folder: [
            c["feature"] for c in json.loads(Path(folder, "booster.json").read_text())["columns"]
        ]
        for folder in folders
    }
    table = connection.sql(features_sql(data, as_of)).to_arrow_table()
    if not folders:
        pq.write_table(table, out)
        return
    columns = {"account_id": table["account_id"]}
    for folder, features in names.items():
        matrix = np.column_stack(
            [table[f].cast(pa.float64()).to_numpy(zero_copy_only=False) for f in features]
        )
        booster = lgb.Booster(model_file=str(Path(folder, "booster.txt")))
        columns[Path(folder).parent.name] = pa.array(booster.predict(matrix))
    pq.write_table(pa.table(columns), out)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
