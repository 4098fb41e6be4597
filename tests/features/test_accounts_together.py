"""Features over the accounts of a party and at a premise, worked out by hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.features.snapshots import as_of_snapshots, issue_snapshots
from riskseg.pipeline.contracts import build
from riskseg.pipeline.facts import facts
from riskseg.pipeline.session import begin, open_checked, scratch_engine

# p1 has two live accounts and a closed one; p2 moves into the home of p1; nobody knows of e.
ACCOUNTS = """\
account_id,party_id,premise_id,opened_on,closed_on,valid_from
a,p1,h1,2024-01-01,,2024-01-01
b,p1,h2,2024-01-01,,2024-01-01
c,p1,h3,2024-01-01,2025-03-31,2024-01-01
d,p2,h9,2024-01-01,,2024-01-01
d,p2,h3,2024-01-01,,2025-04-01
e,,,2024-01-01,,2024-01-01
f,p1,h1,2025-06-01,,2025-06-01
"""
BILLS = """\
account_id,bill_id,due_on,amount
a,1,2025-05-01,10
b,1,2025-04-21,20
c,1,2025-02-20,40
d,1,2025-04-11,80
e,1,2025-05-10,160
"""
DAY = date(2025, 5, 11)
NAMES = (
    "party_accounts",
    "party_balance_overdue",
    "party_days_past_due",
    "party_closed_debt",
    "premise_accounts",
    "premise_closed_debt",
)
# As of 11 May 2025.
EXPECTED = {
    "a": (3, "70.00", 80, "40.00", 1, "0.00"),
    "b": (3, "70.00", 80, "40.00", 1, "0.00"),
    "c": (3, "70.00", 80, "0.00", 2, "0.00"),
    "d": (1, "80.00", 30, "0.00", 2, "40.00"),
    "e": (1, "160.00", 1, "0.00", 1, "0.00"),
}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "accounts.csv").write_text(ACCOUNTS)
    (tmp_path / "bills.csv").write_text(BILLS)
    (tmp_path / "riskseg.toml").write_text(
        '[source.accounts]\nfrom = "accounts.csv"\n[source.bills]\nfrom = "bills.csv"\n'
    )
    return tmp_path


def rows_of(
    root: Path, names: Iterable[str], ranges: Iterable[tuple[int, int]], day: date = DAY
) -> dict[str, tuple[object, ...]]:
    """The facts of every account, range after range."""
    workspace, found = open_checked(root), {}
    with scratch_engine(workspace) as engine:
        session = begin(workspace, engine)
        for first, last in ranges:
            snapshots = as_of_snapshots(day, first, last, listed=True, dated=True)
            build(engine, facts(session.ledger, session.catalogue, 2, names, snapshots))
            listed = ", ".join(f'"@{name}"' for name in names)
            rows = engine.rows(
                f"select account_id, {listed} from facts join account_ids using (account_no)"
            )
            assert not found.keys() & {row[0] for row in rows}
            found |= {row[0]: tuple(row[1:]) for row in rows}
    return found


def shown(rows: dict[str, tuple[object, ...]]) -> dict[str, tuple[object, ...]]:
    return {
        account: tuple(v if isinstance(v, int) else str(v) for v in values)
        for account, values in rows.items()
    }


@pytest.mark.parametrize("ranges", [[(1, 6)], [(1, 2), (3, 3), (4, 6)]])
def test_they_are_those_of_the_day_wherever_the_other_accounts_are(
    workspace: Path, ranges: list[tuple[int, int]]
) -> None:
    """In one pass, and where the accounts of a party are looked at in different ones."""
    assert shown(rows_of(workspace, NAMES, ranges)) == EXPECTED


def test_before_the_move_the_premise_is_another(workspace: Path) -> None:
    rows = shown(rows_of(workspace, NAMES, [(1, 6)], date(2025, 3, 30)))
    assert rows["c"] == (3, "40.00", 38, "0.00", 1, "0.00")
    assert rows["d"] == (1, "0.00", 0, "0.00", 1, "0.00")


def test_own_features_range_over_accounts(workspace: Path) -> None:
    (workspace / "models").mkdir()
    (workspace / "models" / "features.yaml").write_text(
        "- {name: worst_other, range: party, aggregate: max, value: days_past_due,\n"
        "   filter: not own, words: '{value} days on another account'}\n"
        "- {name: neighbours_late, range: premise, aggregate: count,\n"
        "   filter: not own and overdue > 5, words: '{value} others are late'}\n"
    )
    rows = rows_of(workspace, ("worst_other", "neighbours_late"), [(1, 2), (3, 6)])
    assert rows == {"a": (80, 0), "b": (80, 0), "c": (20, 1), "d": (None, 1), "e": (None, 0)}


def test_a_window_over_accounts_is_refused(workspace: Path) -> None:
    (workspace / "models").mkdir()
    (workspace / "models" / "features.yaml").write_text(
        "- {name: x, range: party, aggregate: count, window: 90 days, words: x}\n"
    )
    with pytest.raises(ProblemsError, match="looks at accounts as they are on the date"):
        rows_of(workspace, NAMES, [])


def test_at_the_issue_of_a_bill_each_bill_sees_the_same_accounts(workspace: Path) -> None:
    (workspace / "bills.csv").write_text(BILLS + "a,2,2025-05-01,30\n")
    opened = open_checked(workspace)
    with scratch_engine(opened) as engine:
        session = begin(opened, engine, texts=True)
        snapshots = issue_snapshots(date(2025, 5, 1), date(2025, 5, 1))
        build(engine, facts(session.ledger, session.catalogue, 2, NAMES, snapshots, focus=True))
        rows = engine.rows(
            'select focus_bill, "@party_accounts", "@party_days_past_due" from facts order by 1'
        )
    assert rows == [("1", 3, 70), ("2", 3, 70)]


def test_without_parties_they_are_not_there(workspace: Path) -> None:
    text = "\n".join(line.replace("party_id", "who") for line in ACCOUNTS.splitlines())
    (workspace / "accounts.csv").write_text(text)
    opened = open_checked(workspace)
    with scratch_engine(opened) as engine:
        session = begin(opened, engine)
    lacking = session.catalogue.lacking
    assert lacking["party_accounts"] == "accounts.party_id"
    assert "premise_accounts" not in lacking
