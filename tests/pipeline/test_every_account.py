"""Every account gets one decision, whatever its state, and the money adds up."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from riskseg.domain.decision import NAMES
from riskseg.pipeline.strategy_versions import checked_editions
from riskseg.results.runs import Decisions
from riskseg.rules.model import Strategy
from riskseg.run.assign import assign
from riskseg.run.explain import explain
from tests.support import portfolio as p

DAY = p.AS_OF.isoformat()
# Accounts in states that a portfolio of a few hundred need not have.
ODD: dict[str, dict[str, str]] = {
    "N_NO_HISTORY": {"opened_on": "2026-05-01"},
    "N_NOTHING_KNOWN": {},
    "N_CLOSED": {"opened_on": "2024-01-01", "closed_on": "2026-03-01"},
    "N_CLOSED_IN_DEBT": {"opened_on": "2024-01-01", "closed_on": "2026-03-01"},
    "N_IN_CREDIT": {"opened_on": "2024-01-01"},
    "N_WRITTEN_OFF": {
        "opened_on": "2024-01-01",
        "closed_on": "2026-03-01",
        "written_off_on": "2026-04-01",
    },
    "N_NULL_ATTRIBUTES": {"opened_on": "2024-01-01"},
    "N_NOT_YET": {"opened_on": "2026-05-16"},
}
BILLED = ("N_CLOSED", "N_CLOSED_IN_DEBT", "N_IN_CREDIT", "N_WRITTEN_OFF", "N_NULL_ATTRIBUTES")
PAID = {"N_CLOSED": "40.00", "N_IN_CREDIT": "100.00"}
LIFECYCLES = {
    "N_NO_HISTORY": "no_history",
    "N_NOTHING_KNOWN": "no_history",
    "N_CLOSED": "final_billed",
    "N_CLOSED_IN_DEBT": "closed_in_debt",
    "N_IN_CREDIT": "in_credit",
    "N_WRITTEN_OFF": "written_off",
    "N_NULL_ATTRIBUTES": "live",
}


@pytest.fixture(scope="module")
def workspace(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = p.copied(trained, tmp_path_factory.mktemp("odd") / "workspace")
    p.add_rows(folder, "accounts", *({"account_id": a} | row for a, row in ODD.items()))
    for n, (issued, due) in enumerate((("2026-01-02", "2026-01-16"), ("2026-02-02", "2026-02-16"))):
        bills = (
            {
                "account_id": a,
                "bill_id": f"{n}",
                "issued_on": issued,
                "due_on": due,
                "amount": "20.00",
            }
            for a in BILLED
        )
        p.add_rows(folder, "bills", *bills)
    paid = (
        {"payment_id": f"N{a}", "account_id": a, "paid_on": "2026-02-20", "amount": amount}
        for a, amount in PAID.items()
    )
    p.add_rows(folder, "payments", *paid)
    return folder


@pytest.fixture(scope="module")
def run(workspace: Path) -> Decisions:
    return assign(workspace, p.AS_OF, str(workspace / "decisions.parquet"), at=p.AT)


@pytest.fixture(scope="module")
def decided(run: Decisions) -> dict[str, dict[str, Any]]:
    rows = pq.read_table(run.place).to_pylist()
    assert len({row["account_id"] for row in rows}) == len(rows) == run.rows
    return {row["account_id"]: row for row in rows}


def source(workspace: Path, table: str) -> Iterator[dict[str, str]]:
    with (workspace / "data" / f"{table}.csv").open() as file:
        yield from csv.DictReader(file)


def test_one_decision_for_each_account_that_exists(
    workspace: Path, decided: dict[str, dict[str, Any]]
) -> None:
    existing = {
        row["account_id"] for row in source(workspace, "accounts") if row["opened_on"] <= DAY
    }
    assert set(decided) == existing
    assert "N_NOT_YET" not in existing
    assert list(decided) == sorted(decided)


@pytest.fixture(scope="module")
def strategy(workspace: Path) -> Strategy:
    """The strategy that decided."""
    with checked_editions(workspace, [None], workspace, data=True) as (_, (edition,)):
        return edition.strategy


def test_the_columns_of_a_decision(strategy: Strategy, decided: dict[str, dict[str, Any]]) -> None:
    own = [*strategy.uses, *(b.name for b in strategy.bands), *(s.name for s in strategy.schemes)]
    at = NAMES.index("segment")
    wanted = [*NAMES[:at], *own, *NAMES[at:]]
    assert list(next(iter(decided.values()))) == wanted


def test_every_word_is_one_of_the_strategy(
    strategy: Strategy, decided: dict[str, dict[str, Any]]
) -> None:
    paths = {path.name: path for path in strategy.paths}
    actions = {a.name: a.channel for a in strategy.actions} | {"none": None}
    for row in decided.values():
        assert row["segment"] in strategy.segments
        begun = strategy.path_of(row["segment"], row["as_of"])
        reached = {begun.name}
        while begun.then is not None:
            begun = paths[begun.then]
            reached.add(begun.name)
        assert row["path"] in reached
        assert actions[row["action"]] == row["channel"]
        if row["action"] == "none":
            assert row["step"] is None
        elif row["step"] is None:  # a duty comes before the steps
            assert row["action"] in {name for duty in strategy.duties for name in duty.actions}
        for band in strategy.bands:
            assert row[band.name] in band.levels
        for scheme in strategy.schemes:
            assert row[scheme.name] in scheme.levels
        assert row["as_of"] == p.AS_OF


def _overdue(workspace: Path) -> dict[str, Decimal]:
    """What each account owes from bills due before the day, bill by bill, payment by payment."""
    bills: dict[str, list[tuple[str, str, Decimal]]] = {}
    for row in source(workspace, "bills"):
        known = max(row["issued_on"], row["recorded_on"])
        cancelled = row["cancelled_on"] and row["cancelled_on"] <= DAY
        if known <= DAY and not cancelled:
            bills.setdefault(row["account_id"], []).append(
                (row["due_on"], row["bill_id"], Decimal(row["amount"]))
            )
    payments: dict[str, Decimal] = {}
    known = [
        row
        for row in source(workspace, "payments")
        if max(row["paid_on"], row["recorded_on"]) <= DAY
    ]
    undone = {(row["account_id"], row["reverses"]) for row in known if row["reverses"]}
    assert len(undone) > 10
    for row in known:
        stands = row["status"] in ("", "settled") and not row["reverses"]
        if stands and (row["account_id"], row["payment_id"]) not in undone:
            account = row["account_id"]
            payments[account] = payments.get(account, Decimal(0)) + Decimal(row["amount"])
    overdue = {}
    for account, owed in bills.items():
        left = payments.get(account, Decimal(0))
        overdue[account] = Decimal(0)
        for due, _, amount in sorted(owed):
            paid = min(left, amount)
            left -= paid
            if due < DAY:
                overdue[account] += amount - paid
    return overdue


def test_the_overdue_balance_of_every_account_and_segment(
    workspace: Path, run: Decisions, decided: dict[str, dict[str, Any]]
) -> None:
    overdue = _overdue(workspace)
    assert sum(overdue.values()) > 1000
    for account, row in decided.items():
        assert row["balance_overdue"] == overdue.get(account, Decimal(0)), account
    assert sum(s.accounts for s in run.segments) == run.rows
    for segment in run.segments:
        mine = [a for a, row in decided.items() if row["segment"] == segment.segment]
        assert segment.accounts == len(mine)
        assert segment.overdue == sum((overdue.get(a, Decimal(0)) for a in mine), Decimal(0))
        scored = [d["p_default"] for a in mine if (d := decided[a])["p_default"] is not None]
        assert segment.scored == len(scored)
        mean = round(sum(scored, Decimal(0)) / len(scored), 4) if scored else None
        assert segment.probability == mean
        assert segment.due == sum(decided[a]["action"] != "none" for a in mine)


@pytest.mark.parametrize("account", LIFECYCLES)
def test_odd_accounts_are_decided_and_explained(
    account: str, workspace: Path, decided: dict[str, dict[str, Any]]
) -> None:
    row = decided[account]
    assert row["lifecycle"] == LIFECYCLES[account]
    if row["lifecycle"] != "live":
        assert (row["p_default"], row["risk"]) == (None, "unscored")
    story = explain(workspace, account, p.AS_OF)
    reported = {name: story.decision[name] for name in row if name != "reasons"}
    assert reported == {name: value for name, value in row.items() if name != "reasons"}
    assert len(story.bills) == (2 if account in BILLED else 0)
    assert [m.result for m in story.matched][-1] == row["segment"]


def test_only_an_unknown_flag_protects(decided: dict[str, dict[str, Any]]) -> None:
    assert decided["N_CLOSED_IN_DEBT"]["guards"].startswith("vulnerable_not_enforced?")


@pytest.mark.slow
def test_explain_tells_what_assign_decided(
    workspace: Path, decided: dict[str, dict[str, Any]]
) -> None:
    """For a few of each segment, the same values to the last digit."""
    seen: dict[str, int] = {}
    for account, row in decided.items():
        seen[row["segment"]] = seen.get(row["segment"], 0) + 1
        if seen[row["segment"]] == 1:
            story = explain(workspace, account, p.AS_OF)
            assert dict(story.decision) | {"reasons": None} == row | {"reasons": None}
            if row["action"] != "none" and row["reasons"] is not None:
                assert story.decision["reasons"].startswith(row["reasons"].split("; ")[0][:10])


def test_reasons_come_with_what_is_due(decided: dict[str, dict[str, Any]]) -> None:
    for row in decided.values():
        asked = row["action"] != "none" and row["p_default"] is not None
        assert (row["reasons"] is not None) == asked, row["account_id"]


@pytest.mark.parametrize("day", [date(1990, 1, 1), date(2200, 1, 1)])
def test_nothing_is_known_before_the_first_fact_nor_after_the_last_day(
    workspace: Path, day: date
) -> None:
    from riskseg.domain.problems import ProblemsError

    with pytest.raises(ProblemsError) as caught:
        assign(workspace, day, str(workspace / "early.parquet"), at=p.AT)
    assert [q.code for q in caught.value.problems] == ["RS602"]
    assert not (workspace / "early.parquet").exists()
