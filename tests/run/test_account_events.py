"""`hold`, `promise`, `plan` and `note`: recorded as dated facts, ended by others."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import riskseg
from riskseg.cli import app
from riskseg.domain.problems import ProblemsError
from riskseg.store.journal import Journal
from tests.support import small

DAY, LATER = date(2025, 12, 2), date(2025, 12, 9)


@pytest.fixture
def ws(tmp_path: Path) -> riskseg.Workspace:
    return riskseg.open(small.make(tmp_path / "w"))


def events(ws: riskseg.Workspace) -> list[dict[str, Any]]:
    with Journal.open_to_read(ws.root / ".riskseg" / "journal.db") as journal:
        return journal.events().to_pylist()  # type: ignore[no-any-return]


def test_a_hold_is_recorded_once_and_ended_by_another_event(ws: riskseg.Workspace) -> None:
    for new in (True, False):
        held = ws.hold("a", reason="call 17", kind="complaint", until=LATER, on=DAY, by="ann")
        assert (held.kind, held.happened_on, held.until) == ("complaint", DAY, LATER)
        assert (held.new, held.recorded_on, held.made_by) == (new, DAY, "ann")
    day = date(2025, 12, 4)
    ended = ws.hold("a", reason="solved", kind="complaint", end=True, on=day, by="bob")
    assert (ended.ref, ended.outcome, ended.until, ended.new) == (held.ref, "ended", day, True)
    with pytest.raises(ProblemsError, match="RS633"):
        ws.hold("a", reason="solved", kind="complaint", end=True, on=day, by="bob")
    assert [(e["kind"], e["outcome"]) for e in events(ws)] == [
        ("complaint", None),
        ("complaint", "ended"),
    ]


def test_only_what_lasts_beyond_the_day_is_ended(ws: riskseg.Workspace) -> None:
    ws.hold("a", reason="over by then", until="2025-12-03", on=DAY)
    ws.hold("a", reason="still to begin", from_="2025-12-20", on=DAY)
    ws.hold("b", reason="another's", on=DAY)
    with pytest.raises(ProblemsError, match="RS633"):
        ws.hold("a", reason="solved", end=True, on=LATER)
    held = ws.hold("a", reason="lasting", on=DAY)
    assert ws.hold("a", reason="solved", end=True, on=LATER).ref == held.ref


def test_promises_are_recorded_and_cancelled(ws: riskseg.Workspace) -> None:
    made = ws.promise("a", amount="20.50", until=LATER, from_="2025-12-01", on=DAY, by="ann")
    assert (made.amount, made.happened_on) == (Decimal("20.50"), date(2025, 12, 1))
    gone = ws.cancel_promise("a", reason="lost the job", on=LATER, by="ann")
    assert (gone.ref, gone.outcome) == (made.ref, "cancelled")
    with pytest.raises(ProblemsError, match="RS633"):
        ws.cancel_promise("a", reason="lost the job", on=LATER, by="ann")


def test_a_plan_is_an_event_and_each_instalment_another(ws: riskseg.Workspace) -> None:
    made = ws.plan("a", instalments={"2026-01-01": "10", "2026-02-01": "10.50"}, on=DAY)
    assert (made.amount, made.until) == (Decimal("20.50"), date(2026, 2, 1))
    assert [(e["kind"], e["amount"], e["until"], e["ref"]) for e in events(ws)] == [
        ("plan", "20.50", date(2026, 2, 1), made.ref),
        ("instalment", "10", date(2026, 1, 1), made.ref),
        ("instalment", "10.50", date(2026, 2, 1), made.ref),
    ]


def test_a_dispute_is_known_by_its_bill_and_answered(ws: riskseg.Workspace) -> None:
    made = ws.dispute("a", bill="1", amount="20", reason="read wrongly", on=DAY, by="ann")
    assert (made.kind, made.bill_id, made.amount, made.ref) == ("dispute", "1", Decimal(20), None)
    with pytest.raises(ProblemsError, match="RS633"):
        ws.dispute("a", bill="2", outcome="rejected", reason="it is right", on=LATER)
    with pytest.raises(ProblemsError, match="RS633"):
        ws.dispute("a", outcome="rejected", reason="it is right", from_="2025-12-01", on=LATER)
    (bill,) = ws.explain("a", as_of=DAY).bills
    assert (bill.overdue, bill.disputed) == (80, 20)
    gone = ws.dispute("a", outcome="upheld", amount="15", reason="read again", on=LATER)
    reported = [entry.words for entry in ws.history("a", as_of=LATER).entries]
    assert reported[-2].startswith("dispute about bill 1 of ") and reported[-2].endswith(
        "read wrongly"
    )
    assert (gone.bill_id, gone.outcome, gone.happened_on) == ("1", "upheld", LATER)
    with pytest.raises(ProblemsError, match="RS633"):
        ws.dispute("a", outcome="upheld", reason="read again", on=LATER)
    assert ws.dispute("a", outcome="ended", reason="credited", on=LATER).bill_id == "1"
    with pytest.raises(ProblemsError, match="RS633"):
        ws.dispute("a", outcome="ended", reason="credited", on=LATER)


def test_a_dispute_that_the_source_raised_is_answered_by_a_person(tmp_path: Path) -> None:
    rows = "a,2025-11-02,dispute,r7\nb,2025-11-02,contact,\n"
    root = small.make(tmp_path / "w")
    (root / "data" / "events.csv").write_text(f"account_id,happened_on,kind,ref\n{rows}")
    ws = riskseg.open(root)
    assert ws.dispute("a", outcome="ended", reason="withdrawn", on=DAY).ref == "r7"
    with pytest.raises(ProblemsError, match="RS633"):
        ws.dispute("b", outcome="ended", reason="withdrawn", on=DAY)


def test_all_that_is_wrong_is_said_together(ws: riskseg.Workspace) -> None:
    with pytest.raises(ProblemsError) as error:
        ws.promise("x", amount="1.234", until="2025-12-01", on=DAY)
    assert [p.code for p in error.value.problems] == ["RS103", "RS105", "RS601"]
    for amount in ("0", "-1", "NaN"):
        with pytest.raises(ProblemsError, match="RS103"):
            ws.promise("a", amount=amount, until=LATER, on=DAY)
    for instalments in ({}, {LATER: "5", DAY: "5"}):
        with pytest.raises(ProblemsError, match="RS105"):
            ws.plan("a", instalments=instalments, on=DAY)
    with pytest.raises(ProblemsError) as error:
        ws.dispute("a", bill="11", amount="0", reason="x", until="2025-12-01", on=DAY)
    assert [p.code for p in error.value.problems] == ["RS103", "RS105", "RS634"]
    with pytest.raises(ProblemsError) as error:
        ws.dispute("a", outcome="rejcted", amount="-1", reason="x", from_=LATER, on=DAY)
    assert [p.code for p in error.value.problems] == ["RS103", "RS105", "RS107"]
    with pytest.raises(ProblemsError, match=r"RS107 .*bereavement"):
        ws.hold("a", reason="x", kind="bereavment", on=DAY)
    with pytest.raises(ProblemsError, match="RS105"):
        ws.note("a", "of tomorrow", from_=LATER, on=DAY)
    assert not (ws.root / ".riskseg" / "journal.db").exists()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ("hold a --reason ill --by ann", 0, "a: hold from 2025-12-02, recorded on 2025-12-02 by"),
        ("hold a --reason ill --end --from 2025-12-01", 2, "--from is for a new hold"),
        ("promise a --amount 5", 2, "Give --amount and --until."),
        ("promise a --cancel", 2, "To cancel promises, give --reason"),
        ("promise a --amount five --until 2025-12-09", 2, '"five" is not an amount.'),
        ("promise a --amount 5 --until 2025-12-09", 0, "a: promise from 2025-12-02 until"),
        ("plan a --instalments 2026-01-01", 2, "Write --instalments as"),
        ("plan a --instalments 2026-01-01=5", 0, "a: plan from 2025-12-02 until 2026-01-01"),
        ("dispute a --reason wrong", 0, "a: dispute from 2025-12-02, recorded on 2025-12-02 by"),
        ("dispute a --reason wrong --outcome upheld --until 2025-12-09", 2, "--until is for"),
        ("note a called", 0, "a: note from 2025-12-02"),
        ("note c called", 1, "RS601"),
    ],
)
def test_the_commands(ws: riskseg.Workspace, words: str, code: int, says: str) -> None:
    done = CliRunner().invoke(app, ["-w", str(ws.root), *words.split(), "--on", str(DAY)])
    assert done.exit_code == code and says in done.output, done.output


def test_a_bill_that_is_none_is_reported_with_the_last_few(tmp_path: Path) -> None:
    bills = "".join(f"a,bill{n},2025-{n:02}-01,10\n" for n in range(1, 12))
    root = small.make(tmp_path / "w", bills=f"account_id,bill_id,due_on,amount\n{bills}")
    ws = riskseg.open(root)
    for typed, hint in (
        ("bil7", 'Did you mean "bill7"?'),
        ("x", "Its last bills: bill9, bill10, bill11."),
    ):
        with pytest.raises(ProblemsError) as error:
            ws.dispute("a", bill=typed, reason="x", on=DAY)
        (found,) = error.value.problems
        assert (found.code, found.hint) == ("RS634", hint)
