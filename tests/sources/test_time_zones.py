"""Times that have a zone: their day is that of the workspace's zone, on any machine."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskseg.domain.column_types import ColumnType
from riskseg.domain.problems import Problem, Problems
from riskseg.engine import DuckDB
from riskseg.ledger.days import day_of
from riskseg.pipeline.load import load
from riskseg.pipeline.session import scratch_engine
from riskseg.sources.unchanged import readable
from riskseg.workspace import open_workspace

BILL = "account_id,bill_id,due_on,amount\na,1,2025-06-15,90\n"


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Tokyo"])
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def workspace(root: Path, zone: str | None, bills: str | pa.Table, paid_on: str = "") -> Path:
    if isinstance(bills, str):
        (root / "bills.csv").write_text(bills)
    else:
        pq.write_table(bills, root / "bills.parquet")
    named = f'timezone = "{zone}"\n' if zone else ""
    suffix = "csv" if isinstance(bills, str) else "parquet"
    toml = f'[workspace]\n{named}[source.bills]\nfrom = "bills.{suffix}"\n'
    if paid_on:
        (root / "payments.csv").write_text(f"account_id,paid_on,amount\na,{paid_on},90\n")
        toml += '[source.payments]\nfrom = "payments.csv"\n'
    (root / "riskseg.toml").write_text(toml)
    return root


def loaded(root: Path, select: str) -> tuple[list[Any], list[Problem]]:
    """The values of a select over what was staged, and the Problems of loading it."""
    problems = Problems()
    opened = open_workspace(root, problems)
    assert opened is not None, list(problems)
    zone = opened.settings.timezone or "UTC"
    with DuckDB(reads=readable(opened), threads=1, timezone=zone) as engine:
        ledger = load(engine, opened, problems)
        rows = [] if ledger is None else engine.rows(select)
    return [value for row in rows for value in row], list(problems)


def instants(*when: datetime) -> pa.Table:
    count = len(when)
    return pa.table(
        {
            "account_id": ["a"] * count,
            "bill_id": [str(number) for number in range(count)],
            "due_on": pa.array(when, pa.timestamp("us", "UTC")),
            "amount": [90.0] * count,
        }
    )


def test_instants_of_parquet_have_the_day_of_the_workspace(tmp_path: Path, machine: None) -> None:
    midnight_in_berlin = datetime(2025, 6, 14, 22, tzinfo=UTC)
    root = workspace(tmp_path, "Europe/Berlin", instants(midnight_in_berlin))
    assert loaded(root, "select due_on from bills") == ([date(2025, 6, 15)], [])


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2025-06-15T23:30:00-05:00", date(2025, 6, 16)),
        ("2025-06-15 22:30:00Z", date(2025, 6, 16)),
        ("2025-06-15T21:30:00.123Z", date(2025, 6, 15)),
        ("2025-06-15 23:30:00 -0500", date(2025, 6, 16)),
        ("2025-06-15 22:30:00 UTC", date(2025, 6, 16)),
        ("2025-06-15 20:30:00 America/New_York", date(2025, 6, 16)),
        # What has no zone is of the workspace's own day already.
        ("2025-06-15 23:59:59", date(2025, 6, 15)),
        ("2025-06-15", date(2025, 6, 15)),
    ],
)
def test_texts_with_a_zone_follow_the_same_rule(tmp_path: Path, text: str, day: date) -> None:
    root = workspace(tmp_path, "Europe/Berlin", BILL, paid_on=text)
    assert loaded(root, "select paid_on from payments") == ([day], [])


def test_a_time_inside_a_mapping_has_the_same_day(tmp_path: Path) -> None:
    root = workspace(tmp_path, "Europe/Berlin", BILL.replace("2025-06-15", "1749938400"))
    with (root / "riskseg.toml").open("a") as toml:
        toml.write('due_on = "cast(to_timestamp(due_on::bigint) as date)"\n')
    assert loaded(root, "select due_on from bills") == ([date(2025, 6, 15)], [])


def test_without_a_zone_an_instant_is_a_problem(tmp_path: Path) -> None:
    root = workspace(tmp_path, None, instants(datetime(2025, 6, 14, 22, tzinfo=UTC)))
    _, problems = loaded(root, "select 1")
    assert [(p.code, p.line, "due_on" in p.what) for p in problems] == [("RS017", 3, True)]
    assert "timezone" in problems[0].hint


def test_without_a_zone_a_text_that_has_one_is_a_bad_row(tmp_path: Path) -> None:
    root = workspace(tmp_path, None, BILL, paid_on="2025-06-15T23:30:00-05:00")
    _, problems = loaded(root, "select 1")
    assert [(p.code, p.where) for p in problems] == [("RS017", "payments.csv:2")]


@pytest.mark.parametrize("zone", ["Europe/Berln", "localtime", "", "../x"])
def test_a_zone_that_does_not_exist_is_a_problem(tmp_path: Path, zone: str) -> None:
    root = workspace(tmp_path, zone or "", BILL)
    text = (root / "riskseg.toml").read_text()
    if not zone:
        (root / "riskseg.toml").write_text(text.replace("]\n", ']\ntimezone = ""\n', 1))
    problems = Problems()
    assert open_workspace(root, problems) is None
    assert [(p.code, p.line) for p in problems] == [("RS004", 2)]


ZONES = ["Europe/Berlin", "America/St_Johns", "Pacific/Auckland"]


@pytest.mark.parametrize("zone", ZONES)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_any_instant_has_the_day_that_the_zone_says(zone: str, data: st.DataObject) -> None:
    moments = data.draw(
        st.lists(st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)), min_size=10, max_size=30)
    )
    hours = data.draw(st.integers(-12, 14))
    offset = timezone(timedelta(hours=hours, minutes=data.draw(st.sampled_from([0, 30]))))
    when = [moment.replace(microsecond=0, tzinfo=offset) for moment in moments]
    expected = [moment.astimezone(ZoneInfo(zone)).date() for moment in when]
    table = pa.table(
        {
            "n": range(len(when)),
            "text": [moment.isoformat() for moment in when],
            "instant": pa.array(when, pa.timestamp("us", "UTC")),
        }
    )
    text = day_of("text", ColumnType("text"), zone)
    instant = day_of("instant", ColumnType("timestamp", zoned=True), zone)
    with DuckDB(threads=1, timezone=zone) as engine:
        engine.register("times", table)
        rows = engine.rows(f"select {text}, {instant} from times order by n")
    assert rows == [(day, day) for day in expected]


def test_the_zone_of_the_machine_is_never_asked(machine: None) -> None:
    with DuckDB(threads=1) as engine:
        shown = engine.value("select cast(to_timestamp(0) as varchar)")
    assert (os.environ["TZ"] != "", shown) == (True, "1970-01-01 00:00:00+00")


@pytest.mark.parametrize(("zone", "set_to"), [("Europe/Berlin", "Europe/Berlin"), (None, "UTC")])
def test_every_command_has_its_engine_in_the_zone(
    tmp_path: Path, machine: None, zone: str | None, set_to: str
) -> None:
    opened = open_workspace(workspace(tmp_path, zone, BILL), Problems())
    assert opened is not None
    with scratch_engine(opened) as engine:
        assert engine.value("select current_setting('timezone')") == set_to
