"""A workspace as people live with it: commands beside each other, and what runs leave there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.engine import Engine
from riskseg.pipeline.session import begin, locked, open_checked, scratch_engine
from riskseg.pipeline.stages import Progress
from riskseg.run.assign import assign
from riskseg.run.check import check
from riskseg.run.explain import explain
from riskseg.run.score import score
from riskseg.run.train import train
from tests.support.portfolio import replace, rows, write_rows

AT = datetime(2026, 7, 1, tzinfo=UTC)
AS_OF = date(2026, 6, 30)
Copy = Callable[[Path], Path]


def test_a_run_that_sweeps_leaves_a_reader_its_scratch(trained: Path, copy_of: Copy) -> None:
    """`explain` and `check` take no lock: an `assign` that begins meanwhile is no killed run's heir
    to what they are working on."""
    workspace = open_checked(copy_of(trained))
    with scratch_engine(workspace) as reader:
        session = begin(workspace, reader)
        with locked(workspace), scratch_engine(workspace, lasting=True) as writer:
            begin(workspace, writer)
        # An open file outlives its removal here, but not everywhere, nor what is yet to be spilled.
        assert _scratch(reader).exists()
        assert reader.value("select count(*) from account_ids") == session.ledger.accounts


def _scratch(engine: Engine) -> Path:
    return Path(engine.value("select path from duckdb_databases() where path is not null"))


def test_two_readers_do_not_meet(trained: Path, copy_of: Copy) -> None:
    workspace = open_checked(copy_of(trained))
    with scratch_engine(workspace) as one:
        session = begin(workspace, one)
        account = one.value("select min(account_id) from account_ids")
        explain(workspace.root, account, AS_OF)
        check(workspace.root)
        assert _scratch(one).exists()
        assert one.value("select count(*) from account_ids") == session.ledger.accounts


def test_an_empty_file_is_one_problem(sound: Path, copy_of: Copy) -> None:
    workspace = copy_of(sound)
    (workspace / "data/payments.csv").write_bytes(b"")
    [problem] = check(workspace).problems
    assert (problem.code, problem.file) == ("RS109", "riskseg.toml")
    assert "payments" in problem.what and "empty" in problem.what


def test_check_writes_nothing(sound: Path, copy_of: Copy) -> None:
    workspace = copy_of(sound)
    before = sorted(workspace.rglob("*"))
    check(workspace)
    assert sorted(workspace.rglob("*")) == before


@pytest.mark.slow
def test_every_run_tells_which_rows_it_left_out(trained: Path, copy_of: Copy) -> None:
    workspace = copy_of(trained)
    replace(workspace, "riskseg.toml", "max_bad_rows = 0\n", "max_bad_rows = 0.001\n")
    head, first, *rest = rows(workspace, "payments")
    column = head.split(",").index("paid_on")
    broken = first.split(",")
    broken[column] = "soon"
    write_rows(workspace, "payments", [head, ",".join(broken), *rest])
    apart = workspace / ".riskseg/quarantine/payments.csv"
    notes: list[str] = []
    tell = Progress(note=notes.append)
    out = str(workspace / "out.parquet")
    for run in (
        lambda: train(workspace, ["late_payment"], at=AT, progress=tell),
        lambda: score(workspace, AS_OF, out, progress=tell),
        lambda: assign(workspace, AS_OF, out, at=AT, progress=tell),
    ):
        notes.clear()
        apart.unlink(missing_ok=True)
        run()
        assert "RS102" in apart.read_text()
        assert "1 bad row of payments left out; see .riskseg/quarantine/payments.csv" in notes

    # A run without bad rows leaves no list of those of an earlier one.
    write_rows(workspace, "payments", [head, *rest])
    assign(workspace, AS_OF, out, at=AT)
    assert not apart.exists()


def test_a_number_too_large_is_reported_with_its_account(trained: Path, copy_of: Copy) -> None:
    workspace = copy_of(trained)
    replace(
        workspace, "rules/household-utility/guards.yaml", "needs: days_past_due >= $old_debt",
        "needs: days_past_due * 500000000000000000 >= 60",
    )  # fmt: skip
    with pytest.raises(ProblemsError) as raised:
        assign(workspace, AS_OF, str(workspace / "d.parquet"), at=AT)
    [reported] = raised.value.problems
    rules = (workspace / "rules/household-utility/guards.yaml").read_text().splitlines()
    (line,) = (number for number, text in enumerate(rules, start=1) if "* 5000" in text)
    assert reported.code == "RS614"
    # The line is that of the rule, or of its condition.
    assert reported.line is not None and reported.line in range(line - 2, line + 1)
    account = reported.what.split(", for ")[1].split()[0]
    assert explain(trained, account, AS_OF).facts["days_past_due"] > 18
    assert not (workspace / "d.parquet").exists()


def test_a_feature_too_large_is_reported(trained: Path, copy_of: Copy) -> None:
    workspace = copy_of(trained)
    (workspace / "models/features.yaml").write_text(
        "- {name: huge, range: bills, aggregate: sum, value: days_past_due * 900000000000000000,\n"
        "   unit: days, words: huge}\n",
        encoding="utf-8",
    )
    replace(
        workspace, "rules/household-utility/strategy.yaml", "priority: balance_overdue",
        "priority: huge + balance_overdue",
    )  # fmt: skip
    with pytest.raises(ProblemsError) as raised:
        assign(workspace, AS_OF, str(workspace / "d.parquet"), at=AT)
    assert [p.code for p in raised.value.problems] == ["RS614"]
