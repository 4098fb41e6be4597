"""`explain` shows what was decided, and beside it what has changed since."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from riskseg.cli import app
from riskseg.domain.problems import ProblemsError
from riskseg.results.runs import ChangeSince
from riskseg.run.assign import assign
from riskseg.run.explain import explain
from riskseg.run.retention import erase
from tests.support.account_file import AT, DAY, codes, decide, write

BILLS = "account_id,bill_id,due_on,amount\na,1,2025-11-01,100\nb,2,2025-11-01,25\n"
PAYMENTS = "account_id,paid_on,amount\nb,2025-11-01,5\n"
TOML = '[source.bills]\nfrom = "bills.csv"\n[source.payments]\nfrom = "payments.csv"\n'
TIERS = "t:\n  - {tier: a, when: balance_overdue >= 50}\n  - {tier: b, otherwise: true}\n"
SEGMENTS = """\
columns: [t]
rows:
  - {id: a, match: [a], segment: hit}
  - {id: b, match: [any], segment: miss}
"""
FILES = {"tiers.yaml": TIERS, "segments.yaml": SEGMENTS}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "bills.csv").write_text(BILLS)
    (tmp_path / "payments.csv").write_text(PAYMENTS)
    root = write(tmp_path, "id\na\nb\n", FILES, toml=TOML)
    decide(root, keep=True)
    return root


def pay_late(workspace: Path) -> None:
    """A payment that was made in time, and reaches the source after the letter went out."""
    (workspace / "payments.csv").write_text(PAYMENTS + "a,2025-11-01,100\n")


def output(workspace: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["-w", str(workspace), "explain", *words])
    return done.exit_code, " ".join(done.output.split())


def test_it_does_not_contradict_the_letter_that_was_sent(workspace: Path) -> None:
    pay_late(workspace)
    reported = explain(workspace, "a", DAY)
    assert reported.decision["action"] == "agency"
    assert reported.facts["balance_overdue"] == 100
    assert reported.decided_at == AT
    assert {c.name for c in reported.changes} == {
        "balance_overdue",
        "segment",
        "path",
        "due_action",
        "action",
        "channel",
    }
    assert ChangeSince(name="action", then="agency", now="sms") in reported.changes
    code, text = output(workspace, "a", "--as-of", str(DAY))
    assert (code, text.startswith("a as of 2026-01-01: live, segment hit")) == (0, True)
    assert f"Decided by run {reported.run}, which was made on 2026-01-31." in text
    assert "What has changed in the sources since" in text


def test_what_is_the_same_today_is_said(workspace: Path) -> None:
    reported = explain(workspace, "a", DAY)
    assert (reported.changes, reported.notes) == ((), ())
    assert "The sources give the same today." in output(workspace, "a", "--as-of", str(DAY))[1]


def test_what_is_the_same_today_is_decided_once(
    workspace: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def times_decided() -> int:
        caplog.clear()
        with caplog.at_level(logging.DEBUG, logger="riskseg.engine"):
            explain(workspace, "a", DAY)
        return sum("table decided as" in str(getattr(r, "sql", "")) for r in caplog.records)

    assert times_decided() == 1
    pay_late(workspace)
    assert times_decided() == 2
    (workspace / "payments.csv").write_text(PAYMENTS)
    assert times_decided() == 1
    tiers = next(workspace.glob("rules/*/tiers.yaml"))
    tiers.write_text(TIERS.replace(">= 50", ">= 500"))
    assert times_decided() == 2


def test_fresh_and_draft_are_by_the_sources_as_they_are_now(workspace: Path) -> None:
    pay_late(workspace)
    for how in ({"fresh": True}, {"draft": True}):
        reported = explain(workspace, "a", DAY, **how)
        assert (reported.decision["action"], reported.run, reported.changes) == ("sms", None, ())


def test_a_run_by_its_name(workspace: Path) -> None:
    first = explain(workspace, "a", DAY).run
    pay_late(workspace)
    later = assign(workspace, DAY, str(workspace / "later.csv"), at=AT)
    assert explain(workspace, "a", DAY).run == later.run_id  # the latest run of the date
    assign(workspace, DAY, str(workspace / "draft.csv"), at=AT, draft=True)
    assert explain(workspace, "a", DAY).run == later.run_id  # a draft decides nothing
    assert first is not None
    reported = explain(workspace, "a", run=first[:6])
    assert (reported.run, reported.decision["action"]) == (first, "agency")
    code, text = output(workspace, "a", "--run", later.run_id, "--json")
    assert (code, json.loads(text)["run"]) == (0, later.run_id)
    assert output(workspace, "a")[0] == 2
    assert output(workspace, "a", "--run", first, "--fresh")[0] == 2
    assert output(workspace, "a", "--run", first, "--as-of", "2026-01-02")[0] == 1
    assert output(workspace, "a", "--run", "zzz")[0] == 1


def test_a_date_that_no_run_decided_is_decided_now(workspace: Path) -> None:
    from datetime import date

    assert explain(workspace, "a", date(2026, 1, 2)).run is None


def test_accounts_that_came_or_went_since(workspace: Path) -> None:
    write(workspace, "id\na\nc\n", FILES, toml=TOML)
    (workspace / "bills.csv").write_text(BILLS.replace("\nb,", "\nc,"))
    (workspace / "payments.csv").write_text(PAYMENTS.replace("\nb,", "\nc,"))
    gone = explain(workspace, "b", DAY)
    assert gone.decision["action"] == "sms"
    assert 'There is no account "b"' in gone.notes[0]
    with pytest.raises(ProblemsError, match=r'decided no account "c".*--fresh') as raised:
        explain(workspace, "c", DAY)
    assert codes(raised.value) == ["RS601"]
    assert explain(workspace, "c", DAY, fresh=True).run is None
    erase(workspace, "a", by="ann", at=AT)
    with pytest.raises(ProblemsError, match="was erased from what run"):
        explain(workspace, "a", DAY)


def test_a_run_that_kept_nothing(workspace: Path) -> None:
    shutil.rmtree(workspace / ".riskseg" / "runs")
    decide(workspace, keep=False)
    reported = explain(workspace, "a", DAY)
    assert reported.run is None
    assert "kept nothing" in reported.notes[0]


def test_sources_that_cannot_be_read_now(workspace: Path) -> None:
    (workspace / "bills.csv").unlink()
    reported = explain(workspace, "a", DAY)
    assert (reported.decision["action"], reported.bills) == ("agency", ())
    assert "cannot be shown" in reported.notes[0]


def test_a_number_has_the_decimals_that_it_needs(workspace: Path) -> None:
    with (workspace / "rules/s/strategy.yaml").open("a") as file:
        file.write("priority: balance_overdue * 0.125\n")
    reported = explain(workspace, "a", DAY, draft=True)
    assert str(reported.decision["priority"]) == "12.5"
    assert str(reported.facts["balance_overdue"]) == "100.00"
