"""Lifecycle, level by level, and the row of an account that is in force."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from riskseg.ledger.accounts import LIFECYCLE
from tests.ledger.facts import Account, Bill, Payment
from tests.ledger.loading import load_accounts, load_workspace

AS_OF = date(2026, 6, 30)
DUE, LATER = date(2026, 3, 1), date(2026, 7, 1)
OWED = (Bill("b", DUE, 5_000, DUE),)
PAID = (Payment(DUE, 5_000),)

CASES: dict[str, tuple[Account, str]] = {
    "billed and paid": (Account("a", OWED, PAID), "live"),
    "billed and in arrears": (Account("a", OWED), "live"),
    "never billed": (Account("a"), "no_history"),
    "never billed, and closed": (Account("a", closed_on=DUE), "no_history"),
    "first billed tomorrow": (
        Account("a", (Bill("b", LATER, 5_000, LATER),)),
        "no_history",
    ),
    "paid and never billed": (Account("a", (), PAID), "in_credit"),
    "billed and overpaid": (Account("a", OWED, (Payment(DUE, 5_001),)), "in_credit"),
    "overpaid and closed": (
        Account("a", OWED, (Payment(DUE, 5_001),), closed_on=DUE),
        "in_credit",
    ),
    "a credit note alone": (Account("a", (Bill("c", DUE, -900, DUE),)), "in_credit"),
    "closed and paid": (Account("a", OWED, PAID, closed_on=DUE), "final_billed"),
    "closed on the as-of date": (Account("a", OWED, PAID, closed_on=AS_OF), "final_billed"),
    "closes tomorrow": (Account("a", OWED, PAID, closed_on=LATER), "live"),
    "closed, with the last bill not yet due": (
        Account("a", (Bill("b", LATER, 5_000, DUE),), closed_on=DUE),
        "final_billed",
    ),
    "closed and in arrears": (Account("a", OWED, closed_on=DUE), "closed_in_debt"),
    "closed and pennies short": (
        Account("a", OWED, (Payment(DUE, 4_501),), closed_on=DUE),
        "final_billed",
    ),
    "closed and five pounds short": (
        Account("a", OWED, (Payment(DUE, 4_500),), closed_on=DUE),
        "closed_in_debt",
    ),
    "written off": (Account("a", OWED, closed_on=DUE, written_off_on=AS_OF), "written_off"),
    "written off tomorrow": (
        Account("a", OWED, closed_on=DUE, written_off_on=LATER),
        "closed_in_debt",
    ),
    "written off before it was billed": (Account("a", written_off_on=DUE), "written_off"),
}


@cache
def found() -> dict[str, str]:
    loaded = load_accounts([replace(a, account_id=case) for case, (a, _) in CASES.items()])
    rows = loaded.facts_of(loaded.as_of(AS_OF))
    return {r["account_id"]: r["lifecycle"] for r in rows}


@pytest.mark.parametrize("case", CASES)
def test_lifecycle(case: str) -> None:
    assert found()[case] == CASES[case][1]


def test_every_level_is_reached() -> None:
    assert {level for _, level in CASES.values()} == set(LIFECYCLE.levels)


@pytest.mark.parametrize(
    ("account", "level"),
    [
        (Account("a"), "live"),
        (Account("a", closed_on=DUE), "final_billed"),
        (Account("a", closed_on=LATER), "live"),
        (Account("a", closed_on=DUE, written_off_on=DUE), "written_off"),
    ],
)
def test_lifecycle_of_an_account_file_alone(account: Account, level: str) -> None:
    loaded = load_accounts([account], tables=["accounts"])
    assert loaded.facts_of(loaded.as_of(AS_OF))[0]["lifecycle"] == level


DATED = """account_id,valid_from,tariff,closed_on,party_id
a,,first,,
a,2026-02-01,second,,p1
a,2026-05-01,third,2026-05-01,p2
b,2026-04-01,late,,
"""


@pytest.mark.parametrize(
    ("as_of", "tariffs"),
    [
        (date(2026, 1, 31), {"a": ("first", "a", None)}),
        (date(2026, 2, 1), {"a": ("second", "p1", None)}),
        (date(2026, 4, 30), {"a": ("second", "p1", None), "b": ("late", "b", None)}),
        (date(2026, 5, 1), {"a": ("third", "p2", date(2026, 5, 1)), "b": ("late", "b", None)}),
    ],
)
def test_the_row_in_force(
    tmp_path: Path, as_of: date, tariffs: dict[str, tuple[str, str, date | None]]
) -> None:
    """Of dated rows the last that had begun; an account whose rows all begin later is not yet."""
    (tmp_path / "accounts.csv").write_text(DATED, encoding="utf-8")
    (tmp_path / "riskseg.toml").write_text(
        '[source.accounts]\nfrom = "accounts.csv"\n', encoding="utf-8"
    )
    loaded = load_workspace(tmp_path)
    rows = loaded.facts_of(loaded.as_of(as_of))
    found = {r["account_id"]: (r["tariff"], r["party_id"], r["closed_on"]) for r in rows}
    assert found == tariffs
