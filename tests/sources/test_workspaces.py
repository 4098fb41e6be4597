"""Sources from end to end: empty ones, ones that change meanwhile, ones in odd places."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from riskseg.domain.problems import Problem, Problems, ProblemsError
from riskseg.pipeline import load as loading
from riskseg.pipeline.decisions import DECIDE, RULES, SCORE
from riskseg.pipeline.stages import Progress, Stage
from riskseg.run.assign import assign
from riskseg.run.check import check
from riskseg.run.replay import replay
from riskseg.workspace import open_workspace
from tests.support.sampled import one_in
from tests.support.small import FILES, make

DAY = date(2026, 1, 1)
AT = datetime(2026, 1, 1, 9, tzinfo=UTC)


def decided(root: Path) -> dict[str, str]:
    assign(root, DAY, str(root / "d.csv"), at=AT)
    with (root / "d.csv").open(encoding="utf-8-sig") as file:
        return {row["account_id"]: row["action"] for row in csv.DictReader(file)}


def raised(call: Callable[[], object]) -> list[Problem]:
    with pytest.raises(ProblemsError) as caught:
        call()
    return list(caught.value.problems)


def test_a_head_without_rows_says_that_nothing_has_happened(tmp_path: Path) -> None:
    root = make(
        tmp_path, payments="account_id,paid_on,amount\n", events="account_id,happened_on,kind"
    )
    assert list(check(root).problems) == []
    assert decided(root) == {"a": "letter", "b": "letter"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("accounts", "account_id,region\n"),
        ("bills", "account_id,bill_id,due_on,amount\n"),
        *((name, "") for name in FILES),
    ],
)
def test_no_rows_where_there_must_be_some_and_no_head_are_problems(
    tmp_path: Path, name: str, text: str
) -> None:
    root = make(tmp_path, **{name: text})
    problems = raised(lambda: decided(root))
    assert [name in p.what for p in problems if p.code == "RS109"] == [True]


def _replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    os.replace(other, path)


def _written_to(path: Path) -> None:
    """In place, to the same length, and with its time of writing set back."""
    before = path.stat()
    path.write_text(path.read_text().replace("a,", "b,"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _removed(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("change", one_in(3, [_written_to, _replaced, _removed]))
@pytest.mark.parametrize("stage", [RULES, SCORE, DECIDE])
@pytest.mark.parametrize("select", [False, True])
def test_a_source_that_changes_during_a_run_is_noticed(
    tmp_path: Path, change: Callable[[Path], None], stage: Stage, select: bool
) -> None:
    root = make(tmp_path)
    if select:
        toml = (root / "riskseg.toml").read_text()
        toml = toml.replace('"data/bills.csv"', "\"select * from 'data/bills.csv'\"")
        (root / "riskseg.toml").write_text(toml)
    assert decided(root) == {"a": "letter", "b": "sms"}
    before = (root / "d.csv").read_bytes()

    def reached(now: Stage, done: int, total: int) -> None:
        if now == stage and (root / "data" / "bills.csv").exists():
            change(root / "data" / "bills.csv")

    later = date(2026, 1, 2)
    out = str(root / "d.csv")
    problems = raised(lambda: assign(root, later, out, at=AT, progress=Progress(reached)))
    assert [(p.code, p.file) for p in problems] == [("RS620", "data/bills.csv")]
    assert (root / "d.csv").read_bytes() == before
    assert replay(root, "last").as_of == DAY


def test_a_source_that_changes_while_it_is_loaded_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make(tmp_path)
    original = loading.map_sources

    def and_then(*args: Any) -> Any:
        mapped = original(*args)
        _written_to(root / "data" / "bills.csv")
        return mapped

    monkeypatch.setattr(loading, "map_sources", and_then)
    assert [p.code for p in raised(lambda: check(root))] == ["RS620"]


@pytest.mark.parametrize(
    "name", one_in(8, ["[!a]*?\\", "a,b", "a[b]", "a?b", "a*b", "a\\b", "it's", 'a"b', "k=v"])
)
def test_a_workspace_works_wherever_it_lies(tmp_path: Path, name: str) -> None:
    root = make(tmp_path / name)
    (root / "data" / "bills.csv").rename(root / "data" / f"{name}.csv")
    toml = (root / "riskseg.toml").read_text()
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    (root / "riskseg.toml").write_text(
        toml.replace("data/bills.csv", f"data/{quoted}.csv").replace(
            '"data/payments.csv"', "\"select * from 'data/payments.csv'\""
        )
    )
    assert list(check(root).problems) == []
    assert decided(root) == {"a": "letter", "b": "sms"}
    again = replay(root, "last", from_source=True)
    assert again.verdict == "same bytes"
    assert again.since is not None
    assert again.since.sources == ()


def test_rows_that_cannot_be_read_are_a_problem_wherever_they_are_read_first(
    tmp_path: Path,
) -> None:
    """Far into a file, where its columns have long been inferred from its first rows."""
    rows = "".join(f"a{n},{n},2025-11-01,10\n" for n in range(30_000))
    root = make(tmp_path, bills=FILES["bills"] + rows + "b,x,2025-11-01,1,234.50\n")
    (root / "riskseg.toml").write_text(
        '[workspace]\nstrategy = "rules/s"\n[source.bills]\nfrom = "data/bills.csv"\n'
    )
    assert {p.code for p in check(root).problems} >= {"RS021"}


def test_a_key_of_source_that_is_misspelt_is_reported_as_such(tmp_path: Path) -> None:
    toml = '[source]\nlayot = "odoo"\n[source.bills]\nfrom = "bills.csv"\n'
    (tmp_path / "riskseg.toml").write_text(toml)
    problems = Problems()
    assert open_workspace(tmp_path, problems) is None
    [problem] = problems
    assert (problem.code, problem.line) == ("RS003", 2)
    assert 'Did you mean "layout"?' in problem.hint


def test_a_row_that_is_too_long_is_reported_with_its_line(tmp_path: Path) -> None:
    root = make(tmp_path / "w")
    with (root / "data/payments.csv").open("a") as file:
        file.write(f'"{"x" * 3_000_000}",2025-11-01,1\n')
    [problem] = raised(lambda: decided(root))
    assert (problem.code, problem.file, problem.line) == ("RS021", "data/payments.csv", 3)
    assert "3,000,015 bytes" in problem.what


def test_contract_columns_have_no_letter_case(tmp_path: Path) -> None:
    root = make(
        tmp_path,
        accounts="Customer,Region\na,north\nb,south\n",
        bills="ACCOUNT_ID,Bill_Id,DUE_ON,Amount\na,1,2025-11-01,100\nb,2,2025-11-01,100\n",
    )
    toml = (root / "riskseg.toml").read_text()
    line = 'from = "data/accounts.csv"\n'
    (root / "riskseg.toml").write_text(toml.replace(line, f'{line}Account_Id = "CUSTOMER"\n'))
    assert list(check(root).problems) == []
    assert decided(root) == {"a": "letter", "b": "sms"}


@pytest.mark.parametrize("kind", ["folder", "dangling", "fifo"])
def test_what_is_no_file_is_a_problem(tmp_path: Path, kind: str) -> None:
    root = make(tmp_path)
    place = root / "data" / "bills.csv"
    place.unlink()
    match kind:
        case "folder":
            place.mkdir()
        case "dangling":
            place.symlink_to(root / "nowhere.csv")
        case _:
            os.mkfifo(place)
    assert [(p.code, p.line) for p in check(root).problems] == [("RS006", 6)]
