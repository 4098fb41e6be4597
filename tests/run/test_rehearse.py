"""Rehearsing a strategy: the same as issuing its worklists day by day, with nothing recorded."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from riskseg.cli import app
from riskseg.domain.problems import ProblemsError
from riskseg.pipeline.feed_checks import notes_of_days
from riskseg.pipeline.open_journal import read_journal
from riskseg.pipeline.session import begin, open_checked, scratch_engine
from riskseg.run.rehearse import rehearse
from riskseg.run.worklist import worklist
from riskseg.store.sinks import InMemory
from tests.support import small

FIRST, LAST = date(2025, 11, 1), date(2025, 11, 23)
ACTIONS = """\
name: NAME
purpose: to be rehearsed
owner: tests
actions:
  - {name: sms, channel: sms, contact: true, cost: 0.05}
  - {name: letter, channel: post, contact: true, cost: 0.90}
  - {name: agency, channel: file, significant: true}
"""
PATHS = """\
chase:
  for: [late]
  starts: episode_started_on
  steps: STEPS
  stay: deliberately
rest: {for: [rest], starts: as_of}
"""
FULL = "[{day: 2, action: sms}, {day: 9, action: letter}, {day: 20, action: agency}]"
BILLS = """\
account_id,bill_id,due_on,amount
a,1,2025-11-01,100
b,2,2025-11-01,100
c,3,2025-11-10,100
"""
# b pays on the 15th; nobody else does.
PAYMENTS = "account_id,paid_on,amount\nb,2025-11-15,100\n"
ACCOUNTS = "account_id,region\na,north\nb,south\nc,south\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three accounts, a strategy `s` that is the workspace's, and a milder one."""
    made = small.make(tmp_path / "w", accounts=ACCOUNTS, bills=BILLS, payments=PAYMENTS)
    tiers = "t:\n  - {tier: late, when: days_past_due > 0}\n  - {tier: fine, otherwise: true}\n"
    for name, steps in (("s", FULL), ("mild", "[{day: 9, action: letter}]")):
        folder = made / "rules" / name
        folder.mkdir(exist_ok=True)
        texts = {
            "strategy.yaml": ACTIONS.replace("NAME", name),
            "tiers.yaml": tiers,
            "segments.yaml": small.STRATEGY["segments.yaml"],
            "paths.yaml": PATHS.replace("STEPS", steps),
        }
        for file, text in texts.items():
            (folder / file).write_text(text)
    return made


def test_what_would_have_been_done_followed_by_hand(root: Path) -> None:
    """a: late from 2 November, an sms on the 4th, a letter on the 11th, the agency on the 22nd; b
    likewise until it pays on the 15th; c from the 11th: an sms on the 13th, a letter on the 20th.
    """
    done = rehearse(root, FIRST, LAST, here=root, more_than=1)
    (strategy,) = done.strategies
    assert [(str(d.day), d.action, d.issued) for d in strategy.days] == [
        ("2025-11-04", "sms", 2),
        ("2025-11-11", "letter", 2),
        ("2025-11-13", "sms", 1),
        ("2025-11-20", "letter", 1),
        ("2025-11-22", "agency", 1),
    ]
    assert (strategy.issued, strategy.contacts, strategy.significant) == (7, 6, 1)
    assert strategy.cost == 3 * Decimal("0.95")
    assert (strategy.cures, strategy.paid, strategy.overdue) == (1, 100, 200)
    assert strategy.contacted_often == 3
    weeks = {(str(w.week_from), w.path): w for w in done.weeks}
    third = weeks["2025-11-15", "chase"]
    assert (third.accounts, third.overdue, third.actions, third.cures) == (2, 200, 1, 1)
    assert weeks["2025-11-22", "chase"].week_until == LAST


def test_it_is_what_issuing_day_by_day_does(root: Path) -> None:
    first, last = date(2025, 11, 3), date(2025, 11, 11)
    done = rehearse(root, first, last, here=root)
    with read_journal(open_checked(root)) as journal:
        assert journal.events().num_rows == 0
    issued: Counter[tuple[date, str]] = Counter()
    for n in range((last - first).days + 1):
        target, day = InMemory(), first + timedelta(n)
        worklist(root, day, target, at=datetime(2026, 1, 1, tzinfo=UTC))
        assert target.parquet is not None
        for row in pq.read_table(target.parquet).to_pylist():
            issued[day, row["action"]] += 1
    (strategy,) = done.strategies
    assert issued == {(d.day, d.action): d.issued for d in strategy.days}
    assert len(issued) == 2


def test_what_was_issued_before_counts_and_what_was_issued_since_does_not(root: Path) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for day in (date(2025, 11, 4), date(2025, 11, 11)):
        worklist(root, day, InMemory(), at=at)
    done = rehearse(root, date(2025, 11, 10), date(2025, 11, 13), here=root)
    days = [(str(d.day), d.action, d.issued) for d in done.strategies[0].days]
    assert days == [("2025-11-11", "letter", 2), ("2025-11-13", "sms", 1)]


def test_two_strategies_side_by_side(root: Path) -> None:
    done = rehearse(root, FIRST, LAST, ["rules/s", "rules/mild"], here=root, every="week")
    old, new = done.strategies
    assert (old.name, new.name) == ("s", "mild")
    assert (old.issued, new.issued) == (6, 2)
    differences = {d.measure: d.difference for d in done.differences}
    assert differences["actions"].value == -4
    assert differences["cost"].value == -0.15
    assert differences["paid"] == (0, 0, 0)
    # Of a, b and c: 2, 1 and 1 actions less, so a variance of 1/3 each.
    assert differences["actions"].low == pytest.approx(-4 - 1.96 * 1, abs=0.01)


def test_what_is_done_for_two_accounts_of_a_party_is_done_once(root: Path) -> None:
    (root / "data" / "accounts.csv").write_text("account_id,party_id\na,P\nb,P\nc,Q\n")
    with (root / "rules" / "s" / "strategy.yaml").open("a") as file:
        file.write("treat: party\n")
    done = rehearse(root, date(2025, 11, 4), date(2025, 11, 5), here=root)
    assert [(str(d.day), d.issued) for d in done.strategies[0].days] == [("2025-11-04", 1)]


def test_a_worklist_a_week(root: Path) -> None:
    """On the 1st, 8th, 15th and 22nd: what was overtaken is not done any more."""
    done = rehearse(root, FIRST, LAST, here=root, every="week")
    assert [(str(d.day), d.action, d.issued) for d in done.strategies[0].days] == [
        ("2025-11-08", "sms", 2),
        ("2025-11-15", "letter", 1),
        ("2025-11-15", "sms", 1),
        ("2025-11-22", "agency", 1),
        ("2025-11-22", "letter", 1),
    ]


def test_weeks_are_written(root: Path) -> None:
    place = root / "weeks.parquet"
    done = rehearse(root, FIRST, LAST, here=root, every="week", target=str(place))
    assert done.place == str(place)
    assert pq.read_table(place).to_pylist() == done.to_arrow().to_pylist()


@pytest.mark.parametrize(
    ("first", "last", "strategies", "code"),
    [
        (LAST, FIRST, [], "RS004"),
        (FIRST, LAST, ["rules/s"] * 3, "RS004"),
        (FIRST, LAST, ["rules/other"], "RS230"),
        (date(2020, 1, 1), LAST, [], "RS602"),
    ],
)
def test_what_cannot_be_rehearsed(
    root: Path, first: date, last: date, strategies: list[str], code: str
) -> None:
    with pytest.raises(ProblemsError) as raised:
        rehearse(root, first, last, strategies, here=root)
    assert [problem.code for problem in raised.value.problems] == [code]


@pytest.mark.slow
def test_people_respond_to_what_is_issued(root: Path) -> None:
    """Over a generated portfolio of the same people: letters alone, and letters after an sms."""
    first, last = date(2026, 1, 1), date(2026, 1, 8)
    names = ["rules/s", "rules/mild"]
    done = rehearse(root, first, last, names, here=root, generated=800)
    old, new = done.strategies
    assert done.generated == 800
    assert 780 <= old.accounts == new.accounts <= 800  # a few open their account later
    assert old.issued > new.issued > 0
    assert old.paid != new.paid  # the same people, who were asked otherwise
    again = rehearse(root, first, last, names[1:], here=root, generated=800)
    assert again.strategies == (new,)


def test_an_action_that_nobody_knows_the_effect_of(root: Path) -> None:
    head = root / "rules" / "s" / "strategy.yaml"
    head.write_text(head.read_text().replace("name: agency, channel: file", "name: x, channel: y"))
    paths = root / "rules" / "s" / "paths.yaml"
    paths.write_text(paths.read_text().replace("agency", "x"))
    with pytest.raises(ProblemsError) as raised:
        rehearse(root, date(2026, 1, 1), date(2026, 1, 2), here=root, generated=50)
    assert [problem.code for problem in raised.value.problems] == ["RS209"]


def test_a_day_s_capacity_leaves_the_rest_due(root: Path) -> None:
    """One sms and one letter a day: b, whose id comes later, waits a day for each; what needs
    approval is limited too."""
    done = rehearse(root, FIRST, LAST, here=root, capacity={"sms": 1, "letter": 1, "agency": 0})
    (strategy,) = done.strategies
    assert [(str(d.day), d.action, d.issued) for d in strategy.days] == [
        ("2025-11-04", "sms", 1),
        ("2025-11-05", "sms", 1),
        ("2025-11-11", "letter", 1),
        ("2025-11-12", "letter", 1),
        ("2025-11-13", "sms", 1),
        ("2025-11-20", "letter", 1),
    ]
    # The agency is left for a on the 22nd and the 23rd.
    assert {a.action: a.left for a in strategy.actions} == {"sms": 1, "letter": 1, "agency": 2}
    with pytest.raises(ProblemsError, match=r"RS209 .*sms"):
        rehearse(root, FIRST, LAST, here=root, capacity={"smss": 1})


def test_sources_are_held_against_what_is_expected_on_every_day(root: Path) -> None:
    with (root / "riskseg.toml").open("a") as file:
        file.write('\n[source.payments.expect]\nnewest = "3 days"\nsum = "200.."\n')
        file.write('[source.bills.expect]\nnewest = "10 days"\n')
    workspace = open_checked(root)
    with scratch_engine(workspace) as engine:
        session = begin(workspace, engine)
        days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
        notes = list(notes_of_days(session, days))
    assert notes == [
        # There is no payment before the 15th, and that of the 15th is old from the 19th on.
        "Not as expected: payments: there is no dated row up to 2025-11-01. "
        "This is so on 19 of 23 days.",
        "Not as expected: payments: there are amounts of 100.00; 200.. are expected.",
        "Not as expected: bills: the newest row is of 2025-11-10, 11 days before 2025-11-21; "
        "10 days are allowed. This is so on 3 of 23 days.",
    ]
    done = CliRunner().invoke(
        app, ["-w", str(root), "rehearse", "--from", str(FIRST), "--to", str(LAST), "--quiet"]
    )
    assert all(note in done.stderr for note in notes)
