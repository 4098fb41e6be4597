"""The stand-in for a water utility's three files that the README maps: the same columns, dates as
text, no bill ids in payments; 300 invented customers, three years, some of whom pay late and some
of whom stop paying for months."""

from __future__ import annotations

import calendar
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

CUSTOMERS = 300
MONTHS = [date(2023 + n // 12, n % 12 + 1, 1) for n in range(36)]


def write(folder: Path) -> None:
    """bills.parquet, payments.parquet and customers.parquet in `folder`."""
    draw = random.Random(7)  # noqa: S311 (invented data)
    bills: list[dict[str, Any]] = []
    payments: list[dict[str, Any]] = []
    customers: list[dict[str, Any]] = []
    for number in range(CUSTOMERS):
        customer = f"C{100_000 + number}"
        customers.append(
            {
                "customer_id": customer,
                "region": draw.choice(["Slough", "Swindon", "London - South"]),
                "income_band": draw.choice(["<£15k", "£15k-£30k", "£30k-£50k"]),
                "tariff": draw.choice(["standard", "social"]),
                "has_meter": int(draw.random() < 0.6),
                "is_vulnerable": int(draw.random() < 0.1),
                "prefers_direct_debit": int(draw.random() < 0.5),
                "tenure_band": draw.choice(["<1y", "1-3y", "3y+"]),
            }
        )
        lateness = draw.choice([-8, -8, -8, -8, -2, 10, 25])
        stops = draw.randrange(len(MONTHS)) if draw.random() < 0.6 else None
        for place, month in enumerate(MONTHS):
            ends = month.replace(day=calendar.monthrange(month.year, month.month)[1])
            due = ends + timedelta(days=14)
            amount = round(30 + 20 * draw.random(), 2)
            bills.append(
                {
                    "customer_id": customer,
                    "bill_period_end": ends.isoformat(),
                    "bill_amount": amount,
                    "usage_m3": round(amount / 3, 2),
                    "due_date": due.isoformat(),
                }
            )
            late = lateness + draw.randrange(6)
            if draw.random() < 0.04:
                late += 30
            if stops is not None and stops <= place < stops + 5:
                late += draw.choice([40, 150, 200])
            payments.append(
                {
                    "customer_id": customer,
                    "payment_date": (due + timedelta(days=late)).isoformat(),
                    "amount": amount,
                    "method": draw.choice(["Bank Transfer", "Direct Debit"]),
                }
            )
    until = "2026-01-20"
    payments = [row for row in payments if row["payment_date"] <= until]
    for name, rows in (("bills", bills), ("payments", payments), ("customers", customers)):
        pq.write_table(pa.Table.from_pylist(rows), folder / f"{name}.parquet")
