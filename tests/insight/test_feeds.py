"""How fresh and how large the sources are, against plain Python over their rows."""

from __future__ import annotations

import statistics
from datetime import date, timedelta
from pathlib import Path

import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.pipeline.asked import Asked
from riskseg.pipeline.stages import Progress
from riskseg.results.insights.feeds import Feed, Feeds
from riskseg.run.assign import assign
from riskseg.run.check import check
from riskseg.run.insight import insight
from riskseg.run.worklist import worklist
from riskseg.store.sinks import InMemory
from tests.support import treated

AS_OF = date(2026, 6, 30)
# 3 payments in the last 30 days, then 10, 11, … in each of the 30 days before; the oldest period
# is not a whole one.
DAYS_AGO = [
    *(8, 20, 29),
    *(30 * n + day for n in range(1, 6) for day in range(9 + n)),
    *(180, 185),
]
PAID_ON = [AS_OF - timedelta(days=days) for days in DAYS_AGO]


def write(root: Path, *, more: bool = False, expect: str = "") -> Path:
    later = [AS_OF + timedelta(days=1)]
    rows = [
        {"account_id": "a1", "payment_id": f"p{n}", "paid_on": day, "amount": 1}
        for n, day in enumerate([*PAID_ON, *later, *(later if more else [])])
    ]
    rows.append({"account_id": "a1", "payment_id": "bad", "paid_on": "soon", "amount": 1})
    treated.write(
        root,
        paths={},
        rows={
            "accounts": [{"account_id": "a1", "valid_from": "2025-01-01"}],
            "bills": [{"account_id": "a1", "bill_id": "b", "due_on": "2026-06-30", "amount": 500}],
            "payments": rows,
        },
    )
    toml = root / "riskseg.toml"
    text = toml.read_text().replace("[workspace]\n", "[workspace]\nmax_bad_rows = 0.5\n")
    toml.write_text(text + expect)
    return root


def feeds(root: Path, as_of: date = AS_OF) -> Feeds:
    found = insight(root, "feeds", Asked(as_of)).answer
    assert isinstance(found, Feeds)
    return found


def payments(found: Feeds) -> Feed:
    return next(feed for feed in found.feeds if feed.source == "payments")


def test_freshness_and_volume_are_those_of_the_rows(tmp_path: Path) -> None:
    found = feeds(write(tmp_path / "w"))
    feed = payments(found)
    assert (feed.newest, feed.days_ago) == (max(PAID_ON), 8)
    assert feed.rows == len(PAID_ON) + 1 + feed.set_apart
    assert (feed.set_apart, feed.rows_before, feed.breach) == (1, None, None)
    periods = [sum(30 * n <= days < 30 * n + 30 for days in DAYS_AGO) for n in range(6)]
    assert (feed.last_30_days, feed.usual) == (periods[0], statistics.median_low(periods[1:]))
    assert (feed.last_30_days, feed.usual, str(feed.of_usual)) == (3, 12, "0.2500")
    words = found.words()
    assert "payments: 3 rows came in 30 days, where 12 are usual." in words
    assert f"The newest row of payments is of {max(PAID_ON)}, 8 days before" in words
    assert "Rows set apart as faulty: 1 of payments." in words


def test_what_came_later_does_not_count_as_fresh(tmp_path: Path) -> None:
    earlier = AS_OF - timedelta(days=10)
    feed = payments(feeds(write(tmp_path / "w"), earlier))
    known = [day for day in PAID_ON if day <= earlier]
    assert (feed.newest, feed.days_ago) == (max(known), (earlier - max(known)).days)
    assert feed.last_30_days == sum((earlier - day).days < 30 for day in known)


def test_earlier_runs_and_expectations_are_held_against_it(tmp_path: Path) -> None:
    root = write(tmp_path / "w")
    assign(root, AS_OF, str(root / "d.parquet"), at=treated.AT)
    before = payments(feeds(root))
    # The input of that run is the one that is there: it is no earlier one.
    assert before.rows_before is None
    expected = '\n[source.payments.expect]\nnewest = "3 days"\n'
    other = write(tmp_path / "other", more=True, expect=expected)
    for file in (other / "riskseg.toml", other / "data" / "payments.csv"):
        (root / file.relative_to(other)).write_text(file.read_text())
    found = feeds(root)
    feed = payments(found)
    assert (feed.rows, feed.rows_before) == (before.rows + 1, before.rows)
    assert feed.breach is not None and "8 days before 2026-06-30; 3 days are allowed" in feed.breach
    assert found.words().startswith("payments: the newest row is of 2026-06-22, 8 days before")


def test_a_source_that_has_lost_its_rows_is_named(tmp_path: Path) -> None:
    root = write(tmp_path / "w")
    assign(root, AS_OF, str(root / "d.parquet"), at=treated.AT)
    rows = payments(feeds(root)).rows
    file = root / "data" / "payments.csv"
    header, *_ = file.read_text().splitlines()
    file.write_text(f"{header}\n")
    found = feeds(root)
    assert (payments(found).rows, payments(found).rows_before) == (0, rows)
    assert found.words().startswith(f"payments: there are no rows, where earlier runs had {rows}.")


@pytest.mark.parametrize(
    ("as_of", "old"),
    [
        # No pause between two payments is longer than 12 days.
        (AS_OF, ()),
        (AS_OF + timedelta(days=10), ()),
        (date(2027, 6, 30), ("bills", "payments")),
    ],
)
def test_an_as_of_date_past_the_data_is_noted(
    tmp_path: Path, as_of: date, old: tuple[str, ...]
) -> None:
    root = write(tmp_path / "w")
    noted: list[str] = []
    assign(root, as_of, InMemory(), at=treated.AT, progress=Progress(note=noted.append))
    notes = insight(root, "size", Asked(as_of)).notes
    of_list: list[str] = []
    worklist(root, as_of, str(tmp_path / "list.csv"), progress=Progress(note=of_list.append))
    for found in (noted, notes, of_list):
        about = [note for note in found if note.startswith("The newest row of")]
        assert [note.split()[4] for note in about] == [*old]
    assert not old or "364 days before 2027-06-30" in notes[1]


def test_a_source_that_was_emptied_is_noted(tmp_path: Path) -> None:
    root = write(tmp_path / "w")
    noted: list[str] = []
    for _ in range(2):
        noted.clear()
        assign(root, AS_OF, InMemory(), at=treated.AT, progress=Progress(note=noted.append))
        assert not [note for note in (*noted, *check(root).notes) if "earlier runs" in note]
    file = root / "data" / "payments.csv"
    rows = len(file.read_text().splitlines()) - 1
    file.write_text(file.read_text().splitlines()[0] + "\n")
    wanted = f"payments: 0 rows, where earlier runs read {rows}."
    assert [note for note in check(root).notes if note.startswith(wanted)]
    noted.clear()
    with pytest.raises(ProblemsError, match=f"there are no rows, where earlier runs had {rows}"):
        assign(root, AS_OF, InMemory(), at=treated.AT, progress=Progress(note=noted.append))
    assert not [note for note in noted if "earlier runs" in note]  # said once


@pytest.mark.parametrize(("name", "mixed"), [("arrears", True), ("roll", False), ("feeds", False)])
def test_a_run_of_other_sources_is_noted_where_they_are_read(
    tmp_path: Path, name: str, mixed: bool
) -> None:
    root = write(tmp_path / "w")
    for day in (AS_OF - timedelta(days=10), AS_OF):
        assign(root, day, str(root / f"{day}.parquet"), at=treated.AT)
    assert insight(root, name, Asked(AS_OF)).notes == ()
    file = root / "data" / "payments.csv"
    file.write_text(file.read_text() + f"a1,late,{AS_OF},2\n")
    notes = insight(root, name, Asked(AS_OF)).notes
    assert any("read other payments than there are now" in note for note in notes) is mixed
