"""Overlays: attributes by a key, dated or not, worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.features.snapshots import as_of_snapshots
from riskseg.pipeline.contracts import build
from riskseg.pipeline.facts import facts
from riskseg.pipeline.session import begin, open_checked, scratch_engine
from riskseg.run.check import check

ACCOUNTS = """\
account_id,sector,valid_from
a,S1,2024-01-01
b,S2,2024-01-01
b,S1,2025-03-01
c,S9,2024-01-01
d,,2024-01-01
"""
UNDATED_ACCOUNTS = "account_id,sector\na,S1\nb,S2\nc,S9\nd,\n"
CENSUS = "sector,deprivation,rural\nS1,3,yes\nS2,7,no\n"
DATED_CENSUS = "area,from_day,deprivation\nS1,2024-06-01,3\nS1,2025-02-01,4\nS2,2023-01-01,7\n"
OVERLAY = '[source.overlays.census]\nfrom = "census.csv"\non = "sector"\n'
INTEGER = 'deprivation = "cast(deprivation as integer)"\n'
RENAMED = 'sector = "area"\nvalid_from = "from_day"\n'


def workspace(root: Path, accounts: str, census: str, overlay: str = OVERLAY + INTEGER) -> Path:
    (root / "accounts.csv").write_text(accounts)
    (root / "census.csv").write_text(census)
    (root / "riskseg.toml").write_text('[source.accounts]\nfrom = "accounts.csv"\n' + overlay)
    return root


def known(root: Path, day: date, name: str = "deprivation") -> dict[str, Any]:
    """An attribute of each account as of a day, and whether models may learn from it."""
    return known_on(root, [day], name)[day]


def known_on(
    root: Path, days: Sequence[date], name: str = "deprivation"
) -> dict[date, dict[str, Any]]:
    """The same as of several days."""
    found = {}
    opened = open_checked(root)
    with scratch_engine(opened) as engine:
        session = begin(opened, engine)
        ledger = session.ledger
        for day in days:
            snapshots = as_of_snapshots(day, 1, 9, listed=True, dated=ledger.dated)
            build(engine, facts(ledger, session.catalogue, 2, [name], snapshots))
            rows = engine.rows(
                f'select account_id, "@{name}" from facts join account_ids using (account_no)'
            )
            assert len(rows) == len(dict(rows))
            found[day] = {**dict(rows), "static": session.facts[name].static}
    return found


def test_an_overlay_adds_its_columns_by_key(tmp_path: Path) -> None:
    root = workspace(tmp_path, UNDATED_ACCOUNTS, CENSUS)
    expected = {"a": 3, "b": 7, "c": None, "d": None, "static": True}
    assert known(root, date(2025, 1, 1)) == expected
    assert known(root, date(2025, 1, 1), "rural")["b"] == "no"
    notes = check(root).notes
    assert any("1 row of accounts (of 4) with a sector that it does not hold" in n for n in notes)


def test_a_dated_account_has_the_row_of_its_key_on_the_day(tmp_path: Path) -> None:
    root = workspace(tmp_path, ACCOUNTS, CENSUS)
    days = [date(2025, 2, 28), date(2025, 3, 1)]
    assert [row["b"] for row in known_on(root, days).values()] == [7, 3]


@pytest.mark.parametrize("accounts", [ACCOUNTS, UNDATED_ACCOUNTS])
def test_a_dated_overlay_is_that_of_the_day(tmp_path: Path, accounts: str) -> None:
    """Whether or not accounts are dated: the row of the overlay that was in force."""
    root = workspace(tmp_path, accounts, DATED_CENSUS, OVERLAY + INTEGER + RENAMED)
    moved = 4 if accounts is ACCOUNTS else 7
    expected = {
        date(2024, 5, 31): (None, 7),
        date(2024, 6, 1): (3, 7),
        date(2025, 1, 31): (3, 7),
        date(2025, 2, 1): (4, 7),
        date(2025, 3, 1): (4, moved),
    }
    assert known_on(root, [*expected]) == {
        day: {"a": a, "b": b, "c": None, "d": None, "static": False}
        for day, (a, b) in expected.items()
    }


def test_observed_accounts_have_the_row_of_the_day_they_were_observed(tmp_path: Path) -> None:
    accounts = "account_id,observed_on,sector\na,2024-05-01,S1\na,2024-07-01,S1\na,2025-05-01,S1\n"
    root = workspace(tmp_path, accounts, DATED_CENSUS, OVERLAY + INTEGER + RENAMED)
    days = [date(2024, 6, 30), date(2025, 4, 1), date(2025, 5, 1)]
    assert [row["a"] for row in known_on(root, days).values()] == [None, 3, 4]


def test_two_overlays_the_second_by_a_column_of_the_first(tmp_path: Path) -> None:
    (tmp_path / "rural.csv").write_text("rural,broadband\nyes,slow\nno,fast\n")
    more = '[source.overlays.net]\nfrom = "rural.csv"\non = "rural"\n'
    root = workspace(tmp_path, UNDATED_ACCOUNTS, CENSUS, OVERLAY + more)
    assert known(root, date(2025, 1, 1), "broadband")["a"] == "slow"


@pytest.mark.parametrize(
    ("census", "overlay", "code", "message"),
    [
        (CENSUS, '[source.overlays.census]\nfrom = "census.csv"\n', "RS005", '"on" is missing'),
        (CENSUS, '[source.overlays.census]\non = "sector"\n', "RS005", '"from" is missing'),
        (CENSUS, OVERLAY + "rural = 1\n", "RS004", "not a text"),
        (CENSUS, OVERLAY.replace("sector", "sektor"), "RS007", "no column"),
        (CENSUS, OVERLAY.replace("census.csv", "nosuch.csv"), "RS006", "no file"),
        (CENSUS + "S1,9,no\n", OVERLAY, "RS104", "occurred in an earlier row (1 row)"),
        (CENSUS + ",9,no\n", OVERLAY, "RS101", "key is null"),
        ("sector,x\ns1,1\n", OVERLAY, "RS641", "No account has a sector"),
        (CENSUS, OVERLAY + 'sector = "rural"\nsector2 = "sector"\n', "RS641", "No account"),
        ("area,sector\nS1,1\n", OVERLAY + 'sector = "area"\nother = "rurl"\n', "RS007", "rurl"),
        ("area,account_id,sector\nS1,1,1\n", OVERLAY + 'sector = "area"\n', "RS011", "sector"),
        (DATED_CENSUS, OVERLAY + RENAMED.replace("from_day", "area"), "RS102", "not a date"),
    ],
)
def test_what_is_wrong_with_an_overlay_is_said(
    tmp_path: Path, census: str, overlay: str, code: str, message: str
) -> None:
    root = workspace(tmp_path, UNDATED_ACCOUNTS, census, overlay)
    with pytest.raises(ProblemsError) as refused:
        known(root, date(2025, 1, 1))
    found = refused.value.problems
    assert code in {problem.code for problem in found}, found
    assert message in " ".join(problem.what for problem in found)


def test_an_output_over_an_overlay_is_refused(tmp_path: Path) -> None:
    from riskseg.domain.problems import Problems
    from riskseg.pipeline.outputs import check_output

    root = workspace(tmp_path, UNDATED_ACCOUNTS, CENSUS)
    problems = Problems()
    check_output(open_checked(root), root / "census.csv", problems)
    assert [problem.code for problem in problems] == ["RS010"]


def test_how_the_file_of_an_overlay_is_read_is_stated_as_elsewhere(tmp_path: Path) -> None:
    written = '[source.overlays.census.read]\nencoding = "windows-1252"\n'
    root = workspace(tmp_path, UNDATED_ACCOUNTS, "", OVERLAY + INTEGER + written)
    (root / "census.csv").write_bytes("sector;deprivation;town\nS1;3;Zürich\n".encode("cp1252"))
    assert known(root, date(2025, 1, 1), "town")["a"] == "Zürich"


def test_a_way_to_read_an_overlay_that_cannot_be_is_a_problem(tmp_path: Path) -> None:
    written = '[source.overlays.census.read]\nheader_row = "x"\n'
    root = workspace(tmp_path, UNDATED_ACCOUNTS, CENSUS, OVERLAY + written)
    problem = next(p for p in check(root).problems if p.code == "RS004")
    assert (problem.file, problem.line) == ("riskseg.toml", 7)
