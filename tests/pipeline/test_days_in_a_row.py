"""Days in a row in one workspace: whatever is kept from one command to the next, each of them is
decided as in a workspace that keeps nothing, to the byte."""

from __future__ import annotations

import logging
import shutil
from datetime import date
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.pipeline import staged_ledger
from riskseg.run.assign import assign
from riskseg.run.diff import diff
from riskseg.run.worklist import worklist
from riskseg.store.sinks import InMemory
from tests.ledger.random_accounts import AS_OF
from tests.pipeline.test_decided_buckets import AT, random_workspace

DAYS = 3


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that a test has just written count as settled."""
    monkeypatch.setattr(staged_ledger, "_SETTLED_AFTER_NS", -(10**9))


def one_more(history: Path, root: Path, day: date, draw: Random) -> str:
    """Give a workspace the files of a day: the payments that were recorded by then, and once in a
    while another amount of an earlier one, no new row at all, or the files of the day before as
    they were. What was done."""
    change = draw.choice(("more rows", "more rows", "corrected", "a file more", "nothing"))
    payments = pq.read_table(history / "payments.parquet")
    known = pc.max_element_wise(payments["paid_on"], payments["recorded_on"])
    by_then = payments.filter(pc.less_equal(known, day))
    if change == "corrected" and by_then.num_rows:
        row = draw.randrange(by_then.num_rows)
        amounts = by_then["amount"].to_pylist()
        amounts[row] *= 2
        place = by_then.schema.get_field_index("amount")
        amount = pa.array(amounts, by_then["amount"].type)
        by_then = by_then.set_column(place, "amount", amount)
    if change == "nothing":
        return change
    for old in root.glob("payments*.parquet"):
        old.unlink()
    half = by_then.num_rows // 2 if change == "a file more" else by_then.num_rows
    pq.write_table(by_then.slice(0, half), root / "payments.parquet")
    if half < by_then.num_rows:
        pq.write_table(by_then.slice(half), root / "payments-2.parquet")
    return change


def decisions(root: Path, day: date) -> bytes | list[str]:
    """What is decided, or why a day is refused: nothing may be known by then."""
    target = InMemory()
    try:
        assign(root, day, target, at=AT, keep=False, draft=True)
    except ProblemsError as error:
        return [str(problem) for problem in error.problems]
    return target.parquet


def compare(folder: Path, number: int) -> set[str]:
    """Decide the accounts of a random ledger on days in a row, in a workspace and in a copy of it
    that keeps nothing. What was done with the files."""
    draw = Random(f"days {number}")  # noqa: S311
    folder.mkdir()
    history = random_workspace(folder / "history", number)
    if not (history / "payments.parquet").exists():
        return set()
    root, done = folder / "w", set()
    shutil.copytree(history, root)
    toml = (history / "riskseg.toml").read_text().replace('"payments.', '"payments*.')
    toml = toml.replace("max_unmatched", "max_bad_rows = 1\nmax_unmatched")
    (root / "riskseg.toml").write_text(toml)
    (root / ".riskseg").mkdir(exist_ok=True)
    for day in sorted(draw.sample(AS_OF[2:], DAYS)):
        done.add(one_more(history, root, day, draw))
        again = folder / "again"
        shutil.copytree(root, again, ignore=shutil.ignore_patterns(".riskseg"))
        (again / "riskseg.toml").write_text(f"{toml}keep_staged = false\n")
        from_scratch = decisions(again, day)
        shutil.rmtree(again)
        for attempt in ("first", "from the kept ledger"):
            assert decisions(root, day) == from_scratch, (number, day, attempt)
    return done


def test_days_in_a_row_are_decided_as_from_scratch(tmp_path: Path) -> None:
    assert compare(tmp_path / "d", 4)


@pytest.mark.slow
@pytest.mark.parametrize("hundred", range(10))
def test_1_000_random_sequences_of_days(tmp_path: Path, hundred: int) -> None:
    done: set[str] = set()
    for number in range(100 * hundred, 100 * hundred + 100):
        done |= compare(tmp_path / str(number), number)
        shutil.rmtree(tmp_path / str(number))
    assert done == {"more rows", "corrected", "a file more", "nothing"}


def test_a_worklist_is_of_the_facts_that_a_run_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root, day = random_workspace(tmp_path / "w", 11), AS_OF[-1]
    (root / ".riskseg").mkdir(exist_ok=True)

    def listed() -> tuple[bytes, bool]:
        caplog.clear()
        target = InMemory()
        with caplog.at_level(logging.DEBUG, logger="riskseg.engine"):
            worklist(root, day, target, draft=True)
        allocated = any("table billed as" in str(getattr(r, "sql", "")) for r in caplog.records)
        return target.parquet, allocated

    without, allocated = listed()
    assert allocated
    shutil.rmtree(root / ".riskseg/staged")
    decisions(root, day)
    assert listed() == (without, False)


def test_two_strategies_are_compared_from_the_facts_that_are_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root, day = random_workspace(tmp_path / "w", 11), AS_OF[-1]
    (root / ".riskseg").mkdir(exist_ok=True)
    other = tmp_path / "other"
    shutil.copytree(root / "rules/s", other)
    tiers = other / "tiers.yaml"
    assert "days_past_due > 30" in tiers.read_text()
    tiers.write_text(tiers.read_text().replace("days_past_due > 30", "days_past_due > 3"))

    def compared(on: date = day) -> tuple[str, bool]:
        caplog.clear()
        with caplog.at_level(logging.DEBUG, logger="riskseg.engine"):
            found = diff(root, "rules/s", str(other), here=root, as_of=on)
        allocated = any("table billed as" in str(getattr(r, "sql", "")) for r in caplog.records)
        return found.model_dump_json(), allocated

    first, allocated = compared()
    assert allocated
    assert compared() == (first, False)
    for on in AS_OF[-3:-1]:
        assert compared(on)[1]
    assert len([*(root / ".riskseg/staged").glob("*-facts-*.rows")]) == 2
    bills = pq.read_table(root / "bills.parquet")
    without = [name for name in bills.column_names if name != "amount"]
    more = pc.multiply(bills["amount"].cast(pa.decimal128(12, 2)), 3).cast(bills["amount"].type)
    pq.write_table(bills.select(without).append_column("amount", more), root / "bills.parquet")
    changed, allocated = compared()
    assert allocated and changed != first
