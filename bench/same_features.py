"""Whether a file of features is the floor's, account by account.

    python bench/same_features.py DATA AS_OF FILE

An error names the first feature that differs. Ratios, which are floats that were rounded, may
differ by one in their last place.
"""

from __future__ import annotations

import sys

import duckdb
from floor import features_sql

TWO_PLACES = ("average_days_late_12m", "days_beyond_terms_6m", "days_beyond_terms_12m")
FOUR_PLACES = ("payment_ratio_6m", "on_time_share_12m", "latest_against_average")


def compare(data: str, as_of: str, file: str) -> int:
    """How many features agree. Raises ValueError where one does not, or is not there."""
    with duckdb.connect() as connection:
        connection.execute(f"create table by_hand as {features_sql(data, as_of)}")
        connection.execute(f"create view other as select * from '{file}'")
        names = [row[0] for row in connection.execute("describe by_hand").fetchall()]
        names.remove("account_id")
        there = {row[0] for row in connection.execute("describe other").fetchall()}
        # pandas and polars may leave dates of no day as another null; a count of none is 0.
        if lacking := [name for name in names if name not in there]:
            raise ValueError(f"{file} lacks {', '.join(lacking)}")
        for name in names:
            differ = connection.execute(
                f"select count(*) from by_hand h full join other o using (account_id) "
                f"where not ({_same(name)})"
            ).fetchall()[0][0]
            if differ:
                raise ValueError(f"{name} differs from the floor's for {differ} accounts")
    return len(names)


def _same(name: str) -> str:
    if name.endswith("_on"):
        return f"h.{name}::date is not distinct from o.{name}::date"
    gap = 0.0101 if name in TWO_PLACES else 0.000101 if name in FOUR_PLACES else 1e-6
    return (
        f"abs(coalesce(h.{name}::double, -1) - coalesce(o.{name}::double, -1)) < {gap} "
        f"and (h.{name} is null) = (o.{name} is null)"
    )


if __name__ == "__main__":
    print(f"{compare(*sys.argv[1:4])} features agree")
