"""Tier schemes written as tables: a later table reads their tiers as columns, so that decision
tables are chained. They mean what the same rows mean as conditions."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from riskseg.domain.documents import parse_yaml
from riskseg.domain.problems import Problems
from riskseg.rules.proof_account import Granted
from riskseg.strategy.changes import changes
from riskseg.strategy.described import shown
from riskseg.strategy.proof.ask import Asker
from riskseg.strategy.proof.decision import decided as decided_by_terms
from riskseg.strategy.proof.prove import prove
from riskseg.strategy.sheets.files import csv_bytes, read_csv
from riskseg.strategy.sheets.layout import tiers_yaml
from riskseg.strategy.sheets.tables import scheme_grid, tiers_document
from tests.support.accounts import decided, random_accounts
from tests.support.strategies import SMALL, edition_of, read, sound

AS_OF = date(2026, 3, 2)
CONSTANTS = "constants: {much: 99.5}\n"
TABLES = """\
urgency:
  columns: [days_past_due, balance_overdue]
  rows:
    - {match: [..30, any],        tier: calm}
    - {match: [31..60, ..$much],  tier: calm}
    - {match: ["> 60", "> 20"],  tier: urgent}
    - {match: [any, any],         tier: usual}
care:
  columns: [urgency, risk, note, is_vulnerable, months_on_book]
  rows:
    - {match: [urgent, not low, not plain, any, any],            tier: close}
    - {match: [[urgent, usual], any, any, true, any],            tier: gentle}
    - {match: [any, [high, unscored], plain, any, [..5, 24..36]], tier: close}
    - {match: [any, any, any, any, any],                         tier: ordinary}
"""
CONDITIONS = """\
urgency:
  - {tier: calm, when: days_past_due <= 30}
  - {tier: calm, when: days_past_due >= 31 and days_past_due <= 60 and balance_overdue <= $much}
  - {tier: urgent, when: days_past_due > 60 and balance_overdue > 20}
  - {tier: usual, otherwise: true}
care:
  - {tier: close, when: "urgency = 'urgent' and risk <> 'low' and note <> 'plain'", unknown: skip}
  - {tier: gentle, when: "urgency in ('urgent', 'usual') and is_vulnerable", unknown: skip}
  - tier: close
    when: >-
      risk in ('high', 'unscored') and note = 'plain'
      and (months_on_book <= 5 or (months_on_book >= 24 and months_on_book <= 36))
    unknown: skip
  - {tier: ordinary, otherwise: true}
"""
SEGMENTS = """\
columns: [lifecycle, care, urgency]
rows:
  - {id: closed, match: [closed_in_debt, any, any], segment: trace}
  - {id: chase, match: [any, [close, gentle], any], segment: chase}
  - {id: rest, match: [any, any, any], segment: leave}
"""


def files(tiers: str = TABLES, constants: str = CONSTANTS) -> dict[str, str]:
    return {
        **SMALL,
        "strategy.yaml": SMALL["strategy.yaml"] + constants,
        "tiers.yaml": tiers,
        "segments.yaml": SEGMENTS,
        "examples.yaml": "examples: []\n",
    }


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("tables", "conditions"):
        (tmp_path / name).mkdir()
    return tmp_path / "tables", tmp_path / "conditions"


def test_a_table_decides_as_its_rows_do_as_conditions(folders: tuple[Path, Path]) -> None:
    tables, conditions = (
        sound(folder, files(tiers))
        for folder, tiers in zip(folders, (TABLES, CONDITIONS), strict=True)
    )
    assert tables.fingerprint == conditions.fingerprint
    accounts = random_accounts(conditions, AS_OF, 500, seed=21)
    names = ("urgency", "care", "segment", "rows_matched")
    one, other = (decided(strategy, accounts, AS_OF) for strategy in (tables, conditions))
    assert [[row[n] for n in names] for row in one] == [[row[n] for n in names] for row in other]
    assert {row["care"] for row in one} == {"close", "gentle", "ordinary"}
    assert {row["urgency"] for row in one} == {"calm", "urgent", "usual"}


def test_chained_tables_are_proved(folders: tuple[Path, Path]) -> None:
    strategy = sound(folders[0], files())
    accounts = random_accounts(strategy, AS_OF, 60, seed=22)
    names = ("urgency", "care", "segment")
    by_sql = decided(strategy, accounts, AS_OF)
    by_terms = [decided_by_terms(strategy, account, names) for account in accounts]
    assert by_terms == [{name: row[name] for name in names} for row in by_sql]
    proofs = [
        r for r in prove(strategy, Granted(), Asker(5.0)) if r.claim in ("one-row", "row-reached")
    ]
    assert len([r for r in proofs if r.subject.startswith("care")]) == 5
    assert {result.verdict for result in proofs} == {"proved"}


def test_a_row_that_no_account_reaches_through_the_tables_before_is_refuted(
    folders: tuple[Path, Path],
) -> None:
    """By its cells the row could match: that no urgent account is so early, proofs know."""
    early = "    - {match: [urgent, low, plain, false, ..5], tier: early}\n"
    tiers = TABLES.replace(
        "    - {match: [any, any, any, any, any], ",
        f"{early}    - {{match: [any, any, any, any, any], ",
    )
    tiers = tiers.replace("days_past_due, balance_overdue]", "days_past_due, months_on_book]")
    tiers = tiers.replace('["> 60", "> 20"]', '["> 60", "> 12"]').replace("..$much", "..99")
    strategy = sound(folders[0], files(tiers, constants=""))
    found = {r.subject: r.verdict for r in prove(strategy, Granted(), Asker(5.0))}
    assert found["care early"] == "refuted"
    assert found["care gentle"] == "proved"


FAULTS = [
    ("a later scheme", "columns: [days_past_due,", "columns: [care,", 2, "RS303", "Move `care`"),
    ("itself", "columns: [days_past_due,", "columns: [urgency,", 2, "RS303", "No scheme reads"),
    ("the segment", "columns: [days_past_due,", "columns: [segment,", 2, "RS303", "above its own"),
    ("no such fact", "columns: [days_past_due,", "columns: [day_past,", 2, "RS201", "days_past"),
    ("no such tier", "[[urgent, usual],", "[[urgnt, usual],", 12, "RS205", '"urgent"'),
    ("no such constant", "..$much", "..$mch", 5, "RS205", "Declare it"),
    ("a cell too few", "[..30, any]", "[..30]", 4, "RS215", ""),
    ("no last row", "[any, any],         tier: usual", "[any, 7], tier: usual", 7, "RS203", "any"),
    ("never reached", '["> 60", "> 20"]', "[..9, any]", 6, "RS204", "line 4"),
    ("a condition", "match: [..30, any]", "when: true", 4, "RS005", '"match" is missing'),
    ("a misspelt key", "  columns: [days", "  colums: [days", 2, "RS003", '"columns"'),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "line", "code", "hint"), FAULTS)
def test_what_is_wrong_with_a_table(
    name: str, old: str, new: str, line: int, code: str, hint: str, tmp_path: Path
) -> None:
    assert TABLES.count(old) == 1
    strategy, problems = read(tmp_path, files(TABLES.replace(old, new)))
    assert strategy is None
    assert (problems[0].code, problems[0].file) == (code, "rules/tiers.yaml")
    assert problems[0].line == line
    assert hint in f"{problems[0].what} {problems[0].hint}"


DIFFERENCES = [
    (
        "a cell",
        files(TABLES.replace("[..30, any]", "[..25, any]")),
        ["tiers.yaml urgency row calm (line 4): days_past_due was ..30, is ..25"],
    ),
    (
        "a tier",
        files(TABLES.replace("[..30, any],        tier: calm", "[..30, any], tier: usual")),
        ["tiers.yaml urgency row calm (line 4): tier was calm, is usual"],
    ),
    (
        "a constant",
        files(constants="constants: {much: 120}\n"),
        [
            "strategy.yaml constant $much (line 13): value was 99.5, is 120; "
            "used by tiers.yaml urgency row calm"
        ],
    ),
    ("its rows as conditions", files(CONDITIONS), []),
]


@pytest.mark.parametrize(("name", "later", "listed"), DIFFERENCES)
def test_what_two_versions_differ_in(
    name: str, later: dict[str, str], listed: list[str], tmp_path: Path
) -> None:
    found = changes(edition_of(tmp_path / "old", files()), edition_of(tmp_path / "new", later))
    assert list(map(str, found)) == listed


def test_a_constant_in_a_cell_of_segments_is_one_change_too(tmp_path: Path) -> None:
    segments = SEGMENTS.replace("lifecycle, care, urgency", "lifecycle, care, balance_overdue")
    segments = segments.replace("[close, gentle], any]", "[close, gentle], $much..]")
    old, new = (
        edition_of(tmp_path / value, {**files(constants=f"constants: {{much: {value}}}\n"),
                                      "segments.yaml": segments})
        for value in ("90", "95")
    )  # fmt: skip
    [found] = changes(old, new)
    assert str(found).startswith("strategy.yaml constant $much (line 13): value was 90, is 95")
    assert found.reaches == ("tiers.yaml urgency row calm", "segments.yaml row chase")


def test_a_table_is_shown_as_one(tmp_path: Path) -> None:
    urgency, care = shown(sound(tmp_path, files()), from_data=True).tiers
    assert urgency.columns == ("days_past_due", "balance_overdue")
    assert [row.match for row in urgency.rows][1] == (("31..60",), ("..99.5",))
    assert care.rows[1].match == (("urgent", "usual"), "any", "any", (True,), "any")
    assert care.rows[1].when == "urgency in ('urgent', 'usual') and is_vulnerable"


def test_a_table_goes_to_a_sheet_and_comes_back(tmp_path: Path) -> None:
    problems = Problems()
    document = parse_yaml(TABLES, "tiers.yaml", problems)
    assert document is not None
    grids = {name: scheme_grid(document, name, problems) for name in document.data}
    assert grids["urgency"][0] == ["days_past_due", "balance_overdue", "tier"]
    sheets = [read_csv(csv_bytes(grid), name, name, problems) for name, grid in grids.items()]
    back = tiers_document([sheet for sheet in sheets if sheet], "tables", problems)
    assert back is not None and not list(problems)
    assert back.data == document.data
    commented = TABLES.replace("    - {match: [31..60", "    # mildly late\n    - {match: [31..60")
    laid = tiers_yaml(back.data, commented)
    assert laid.comments_lost == 0
    assert "    # mildly late\n    - {match: [31..60," in laid.content.decode()
    assert parse_yaml(laid.content.decode(), "tiers.yaml", problems).data == document.data  # type: ignore[union-attr]
