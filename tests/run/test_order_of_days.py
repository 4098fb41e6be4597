"""Days are issued in their order: what a later day issued is not handed over again."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from riskseg.cli import app
from riskseg.domain.problems import ProblemsError
from riskseg.run.approve import approve
from riskseg.run.worklist import worklist
from tests.support import treated

MONDAY, TUESDAY, WEDNESDAY = (date(2026, 1, day) for day in (5, 6, 7))
SATURDAY, SUNDAY = (datetime(2026, 1, day, tzinfo=UTC) for day in (3, 4))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Of two accounts, one is owed an sms from Monday on, the other a letter; a third waits for an
    approval from Tuesday on."""
    first_step = {"sms": 3, "letter": 3, "agency": 4}
    return treated.write(
        tmp_path / "w",
        paths={name: {"steps": [{"day": day, "action": name}]} for name, day in first_step.items()},
        rows={
            "accounts": [{"account_id": name, "treatment": name} for name in first_step],
            "bills": [
                {"account_id": name, "bill_id": name, "due_on": "2026-01-01", "amount": 100}
                for name in first_step
            ],
        },
    )


def test_an_earlier_day_is_refused_and_nothing_is_handed_over(root: Path) -> None:
    treated.issue(root, MONDAY, actions=["sms"])
    treated.issue(root, TUESDAY)
    out = root / "monday.csv"
    with pytest.raises(ProblemsError) as refused:
        worklist(root, MONDAY, str(out), at=treated.AT)
    (found,) = refused.value.problems
    assert found.code == "RS635"
    assert 'issue 1 more action, such as one of account "letter"' in found.what
    assert "2026-01-06" in found.what and "2026-01-06" in (found.hint or "")
    assert not out.exists()
    # It can still be looked at, as everything stood on that day.
    assert {row["account_id"] for row in treated.listed(root, MONDAY)} == {"letter", "sms"}


@pytest.mark.parametrize(("at", "refused"), [(SUNDAY, False), (SATURDAY, True)])
def test_a_day_that_has_not_come_yet_is_refused(root: Path, at: datetime, refused: bool) -> None:
    """It may be the day after already, in a zone further east."""
    out = root / "monday.csv"
    if not refused:
        assert worklist(root, MONDAY, str(out), at=at).new == 2
        return
    with pytest.raises(ProblemsError) as raised:
        worklist(root, MONDAY, str(out), at=at)
    (found,) = raised.value.problems
    assert found.code == "RS636"
    assert "2026-01-05 has not come yet: it is 2026-01-03." in found.what
    assert not out.exists()
    assert worklist(root, MONDAY, str(out), at=at, ahead=True).new == 2


def test_a_day_that_is_done_can_be_issued_again(root: Path) -> None:
    for day in (MONDAY, TUESDAY):
        treated.issue(root, day)
    done, rows = treated.issue(root, MONDAY)
    assert (done.issued, done.new) == (2, 0)
    assert {row["account_id"] for row in rows} == {"letter", "sms"}


def test_what_waits_for_an_approval_does_not_stand_in_the_way(root: Path) -> None:
    """A person may approve of what is on the list of an earlier day; it is issued on a later."""
    treated.issue(root, MONDAY, actions=["sms"])
    treated.issue(root, TUESDAY, actions=["agency"])
    treated.issue(root, WEDNESDAY, actions=["letter"])
    done, _ = treated.issue(root, TUESDAY, actions=["agency"])
    assert done.new == 0
    approve(
        root, TUESDAY, (), "approved", on=WEDNESDAY, at=treated.AT, by="ann", reason="it is time"
    )
    with pytest.raises(ProblemsError, match="RS635"):
        treated.issue(root, TUESDAY, actions=["agency"])
    done, _ = treated.issue(root, WEDNESDAY, actions=["agency"])
    assert done.new == 1


def test_what_was_issued_and_is_no_longer_due_is_named(root: Path) -> None:
    """Between two runs of a day a payment is read: its action was handed over in the morning."""
    treated.issue(root, MONDAY)
    payments = root / "data" / "payments.csv"
    payments.write_text(payments.read_text() + f"letter,P1,{MONDAY},100\n")
    done, rows = treated.issue(root, MONDAY)
    assert [row["account_id"] for row in rows] == ["sms"]
    assert (done.issued, done.new) == (1, 0)
    assert [(a.account_id, a.action) for a in done.no_longer_due] == [("letter", "letter")]
    assert done.no_longer_due[0].id
    of_sms, _ = treated.issue(root, MONDAY, actions=["sms"])
    assert of_sms.no_longer_due == ()
    again = CliRunner().invoke(
        app,
        ["-w", str(root), "worklist", "issue", "--as-of", str(MONDAY), "--out", f"{root}/m.csv"],
    )
    said = " ".join(again.stdout.split())
    assert "0 actions issued now, 1 before." in said
    assert "1 action issued for this day before is no longer due" in said
    assert "letter for letter. Stop it where that is still possible." in said


def test_a_list_in_a_file_that_is_only_written_can_be_printed(root: Path) -> None:
    done = worklist(root, MONDAY, str(root / "monday.csv"), at=treated.AT)
    assert str(done) == f"2 actions due on 2026-01-05, in {root / 'monday.csv'}. 2 actions issued."
    assert done._repr_html_().startswith("<p>2 actions")
    in_parquet = worklist(root, MONDAY, str(root / "monday.parquet"), at=treated.AT)
    assert "0 actions issued now, 2 before." in str(in_parquet) and "account_id" in str(in_parquet)
    (root / "monday.parquet").write_bytes(b"another")  # as a later run may do
    assert "account_id" not in str(in_parquet)
