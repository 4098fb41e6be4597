"""Which rows and columns are written: the same words for decisions, scores and worklists."""

from __future__ import annotations

import csv
import gzip
import io
import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
from click.testing import Result
from typer.testing import CliRunner

from riskseg.cli import app
from riskseg.domain.decision import NAMES
from riskseg.pipeline.kept_decisions import decisions_of
from riskseg.pipeline.open_journal import read_journal
from riskseg.pipeline.session import open_checked
from riskseg.pipeline.stages import Progress
from riskseg.results.runs import Decisions
from riskseg.run.assign import assign
from riskseg.run.replay import replay
from riskseg.store.sinks import InMemory
from riskseg.treatment import worklist
from tests.support import treated

DAY = date(2026, 3, 2)
# Each account: its path, for how many days it is in arrears, what it owes.
ACCOUNTS = {
    "A1": ("calls", 5, 100),
    "A2": ("letters", 5, 300),
    "A3": ("calls", 1, 900),
    "A4": ("calls", 7, 200),
    "A5": (treated.IDLE, 5, 50),
}
PHONE = "phone"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return treated.write(
        tmp_path_factory.mktemp("selection") / "w",
        paths={
            "calls": {"steps": [{"day": 3, "action": "call"}]},
            "letters": {"steps": [{"day": 3, "action": "letter"}]},
        },
        rows={
            "accounts": [
                {"account_id": account, "treatment": path, PHONE: f"0{account}"}
                for account, (path, _, _) in ACCOUNTS.items()
            ],
            "bills": [
                {
                    "account_id": account,
                    "bill_id": account,
                    "due_on": DAY - timedelta(days=days),
                    "amount": amount,
                }
                for account, (_, days, amount) in ACCOUNTS.items()
            ],
        },
    )


def run(workspace: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["-w", str(workspace), *words])


def written(workspace: Path, *words: str, to: str = "out.csv") -> list[dict[str, str]]:
    place = workspace / to
    done = run(workspace, *words, "--as-of", str(DAY), "--out", str(place))
    assert done.exit_code == 0, done.output
    raw = place.read_bytes()
    text = (gzip.decompress(raw) if to.endswith(".gz") else raw).decode()
    return list(csv.DictReader(io.StringIO(text)))


CHOSEN = ("--columns", f"account_id,action,{PHONE}")


@pytest.mark.parametrize(
    ("options", "accounts"),
    [
        ([], ["A3", "A2", "A4", "A1", "A5"]),
        (["--due"], ["A2", "A4", "A1"]),
        (["--action", "call"], ["A4", "A1"]),
        (["--action", "call", "--action", "letter"], ["A2", "A4", "A1"]),
        (["--segment", "calls"], ["A3", "A4", "A1"]),
        (["--segment", "calls", "--due"], ["A4", "A1"]),
        (["--segment", "letters", "--action", "call"], []),
    ],
)
def test_rows_of_decisions_come_by_priority(
    workspace: Path, options: list[str], accounts: list[str]
) -> None:
    rows = written(workspace, "assign", *options, *CHOSEN, "--no-keep")
    assert [row["account_id"] for row in rows] == accounts
    assert all([*row] == ["account_id", "action", PHONE] for row in rows)
    assert [row[PHONE] for row in rows] == [f"0{account}" for account in accounts]


@pytest.mark.parametrize(
    ("words", "usual"), [(["assign", "--no-keep"], NAMES), (["worklist"], worklist.NAMES)]
)
def test_attributes_and_features_alone_are_added(
    workspace: Path, words: list[str], usual: tuple[str, ...]
) -> None:
    rows = written(workspace, *words, "--columns", f"{PHONE},bills_12m", to="out.csv.gz")
    assert {*usual} < {*rows[0]}
    assert [*rows[0]][-2:] == [PHONE, "bills_12m"]
    assert {row["bills_12m"] for row in rows} == {"1"}


def test_a_worklist_takes_the_same_words(workspace: Path) -> None:
    rows = written(workspace, "worklist", "--segment", "calls", *CHOSEN)
    assert [(row["account_id"], row["action"], row[PHONE]) for row in rows] == [
        (account, "call", f"0{account}") for account in ("A4", "A1")
    ]


@pytest.mark.parametrize("command", ["assign", "worklist"])
def test_every_name_that_there_is_none_of_is_a_problem(workspace: Path, command: str) -> None:
    wrong = ("--action", "cal", "--segment", "call", "--columns", "acount_id")
    done = run(workspace, command, "--as-of", str(DAY), "--out", str(workspace / "x.csv"), *wrong)
    assert done.exit_code == 1
    for code, name in (("RS209", "call"), ("RS201", "calls"), ("RS501", "account_id")):
        assert any(
            line.startswith(code) and f'Did you mean "{name}"?' in line
            for line in done.stderr.splitlines()
        ), done.stderr
    assert not (workspace / "x.csv").exists()


def test_a_part_is_written_and_the_whole_is_decided(workspace: Path, tmp_path: Path) -> None:
    place = tmp_path / "due.parquet"
    done = run(
        workspace, "assign", "--as-of", str(DAY), "--out", str(place), "--due", *CHOSEN, "--json"
    )
    result = Decisions.model_validate_json(done.stdout)
    assert result.selection is not None
    assert (result.rows, result.selection.rows, result.selection.actions) == (5, 3, ())
    assert pq.read_table(place).column_names == ["account_id", "action", PHONE]
    open_workspace = open_checked(workspace)
    with read_journal(open_workspace) as journal:
        record = journal.run(result.run_id)
        assert record is not None
        assert record.arguments["selection"] == {
            "columns": ["account_id", "action", PHONE],
            "due": True,
        }
        whole = decisions_of(open_workspace, record, journal, Progress())
    (entry,) = json.loads(run(workspace, "journal", "show", "--limit", "1", "--json").stdout)[
        "runs"
    ]
    assert (entry["output"], entry["selected_output"]) == (None, str(place))
    # A long place is broken into lines.
    assert "part)" in run(workspace, "journal", "show", "--limit", "1").stdout
    assert whole is not None and whole.num_rows == 5 and {*NAMES} <= {*whole.column_names}
    assert replay(workspace, result.run_id).verdict == "same bytes"
    # Nothing is kept that was only shown.
    inputs = next((workspace / ".riskseg" / "runs" / result.run_id).glob("inputs*.parquet"))
    assert PHONE not in pq.read_schema(inputs).names


def test_a_workbook_is_for_people(workspace: Path) -> None:
    place = workspace / "list.xlsx"
    done = assign(workspace, DAY, str(place), at=treated.AT, reasons="none")
    sheet: Any = openpyxl.load_workbook(place).active
    head, *rows = sheet.iter_rows()
    names = [cell.value for cell in head]
    assert all(cell.font.bold for cell in head)
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == f"A1:{head[-1].column_letter}6"
    values = [dict(zip(names, (cell.value for cell in row), strict=True)) for row in rows]
    assert [row["account_id"] for row in values] == ["A3", "A2", "A4", "A1", "A5"]
    assert values[0]["as_of"] == datetime.combine(DAY, datetime.min.time())
    assert (values[0]["balance_overdue"], values[0]["days_past_due"]) == (900, 1)
    # It is what the run decided, and can be decided again.
    assert replay(workspace, done.run_id).verdict in ("same bytes", "same rows")


def test_selection_in_python_is_the_same(workspace: Path) -> None:
    import riskseg

    given = riskseg.open(workspace).assign(
        as_of=DAY, due=True, columns=["account_id", PHONE], segments=["calls"], keep=False
    )
    assert given.to_arrow().to_pylist() == [
        {"account_id": account, PHONE: f"0{account}"} for account in ("A4", "A1")
    ]


def test_without_a_selection_the_run_is_the_same_as_ever(workspace: Path) -> None:
    runs = [
        assign(workspace, DAY, InMemory(), at=treated.AT, reasons="none", keep=False)
        for _ in range(2)
    ]
    assert runs[0].run_id == runs[1].run_id and runs[0].selection is None


def test_names_have_no_letter_case(workspace: Path) -> None:
    rows = written(workspace, "assign", "--action", "call", "--columns", "Account_ID,PHONE")
    assert [[*row] for row in rows[:1]] == [["account_id", PHONE]]


def test_a_worklist_has_the_id_by_which_outcomes_are_read_back(workspace: Path) -> None:
    rows = written(workspace, "worklist", "--columns", "phone,balance_overdue")
    assert rows and all([*row] == ["id", PHONE, "balance_overdue"] and row["id"] for row in rows)
