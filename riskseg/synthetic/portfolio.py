"""The portfolio as a whole: made chunk by chunk, so that its size does not need memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from riskseg.domain.problems import Problems
from riskseg.synthetic.billing import draw_bills
from riskseg.synthetic.days import live_through
from riskseg.synthetic.people import draw_households
from riskseg.synthetic.readme import readme
from riskseg.synthetic.tables import SCHEMAS, Frame, chunk_tables

CHUNK = 20_000  # accounts; part of what a seed means, as is the order of draws
MOST_ACCOUNTS = 90_000_000  # account numbers have eight digits
MOST_MONTHS = 240
EARLIEST_YEAR = 1950  # of `until`

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Portfolio:
    """A portfolio to be made: `accounts` accounts from `since` to `until`, both included.

    The same values make the same rows, whatever the machine's load and number of threads.
    """

    accounts: int
    months: int
    seed: int
    since: date
    until: date
    progress: Progress | None = None

    def chunks(self) -> Iterator[dict[str, pa.Table]]:
        """The six tables, for at most CHUNK accounts at a time, ordered by account and day."""
        for index, first_account in enumerate(range(0, self.accounts, CHUNK)):
            chunk_accounts = min(CHUNK, self.accounts - first_account)
            yield self._chunk(index, first_account, chunk_accounts)
            if self.progress is not None:
                self.progress(first_account + chunk_accounts, self.accounts)

    def tables(self) -> dict[str, pa.Table]:
        """The six tables whole, in memory: for portfolios of a size that allows it."""
        parts = list(self.chunks())
        return {name: pa.concat_tables(part[name] for part in parts) for name in SCHEMAS}

    def _chunk(self, index: int, first: int, count: int) -> dict[str, pa.Table]:
        seeds = np.random.SeedSequence(self.seed, spawn_key=(index,)).spawn(4)
        who, bill, live, record = (
            np.random.Generator(np.random.PCG64(chunk_seed)) for chunk_seed in seeds
        )
        frame = Frame(first + 1, self.since, (self.until - self.since).days + 1)
        people = draw_households(count, frame.days, who)
        bills = draw_bills(people, self.since, frame.days, bill)
        history = live_through(people, bills, self.since, frame.days, live)
        return chunk_tables(frame, people, bills, history, record)


def generate(
    accounts: int, months: int, seed: int, *, until: date, progress: Progress | None = None
) -> Portfolio:
    """A portfolio of `months` months that ends with the day `until`. Rows are made when they
    are asked for; `progress` then receives the accounts made and their total.

    Raises ProblemsError (RS004) for values out of their range.
    """
    problems = Problems()
    ranges = {
        "accounts": (accounts, 1, MOST_ACCOUNTS),
        "months": (months, 1, MOST_MONTHS),
        "seed": (seed, 0, 2**63 - 1),
    }
    for argument_name, (value, least_allowed, most_allowed) in ranges.items():
        if not least_allowed <= value <= most_allowed:
            problems.add(
                "RS004",
                f"{argument_name} cannot be {value}.",
                hint=f"Give a number from {least_allowed} to {most_allowed}.",
            )
    if until.year < EARLIEST_YEAR:
        problems.add("RS004", f"until cannot be {until}.", hint=f"Give {EARLIEST_YEAR} or later.")
    problems.raise_if_any()
    return Portfolio(accounts, months, seed, months_before(until, months), until, progress)


def write(portfolio: Portfolio, folder: Path) -> None:
    """Write accounts, bills, payments, events, instalments and truth as Parquet, and a README, to
    `folder`.

    Each file is written beside its place and renamed when all are whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    places = {table_name: folder / f"{table_name}.parquet" for table_name in SCHEMAS}
    places["README"] = folder / "README.md"
    beside = {
        table_name: table_file.with_name(f".{table_file.name}.part")
        for table_name, table_file in places.items()
    }
    try:
        _write_tables(portfolio, beside)
        beside["README"].write_text(_readme_of(portfolio), encoding="utf-8")
        for table_name, table_file in places.items():
            beside[table_name].replace(table_file)
    finally:
        for beside_path in beside.values():
            beside_path.unlink(missing_ok=True)


def _write_tables(portfolio: Portfolio, places: dict[str, Path]) -> None:
    writers = {
        table_name: pq.ParquetWriter(places[table_name], schema, compression="zstd")
        for table_name, schema in SCHEMAS.items()
    }
    try:
        for chunk_tables in portfolio.chunks():
            for table_name, writer in writers.items():
                writer.write_table(
                    chunk_tables[table_name], row_group_size=len(chunk_tables[table_name]) or None
                )
    finally:
        for writer in writers.values():
            writer.close()


def _readme_of(made: Portfolio) -> str:
    return readme(made.accounts, made.months, made.seed, made.since, made.until)


def months_before(until: date, months: int) -> date:
    """The first of `months` months of days that end with `until`."""
    day_after = until + timedelta(days=1)
    month_count = day_after.year * 12 + day_after.month - 1 - months
    first_after = date((month_count + 1) // 12, (month_count + 1) % 12 + 1, 1)
    last_of_month = (first_after - timedelta(days=1)).day
    return date(month_count // 12, month_count % 12 + 1, min(day_after.day, last_of_month))
