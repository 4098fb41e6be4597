"""Cells of the table of segments with ranges of numbers and with `not`: they decide as tiers do in
which the same is written as conditions."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from riskseg.rules.cells import CellFault, read_range
from riskseg.rules.proof_account import Granted
from riskseg.strategy.described import shown
from riskseg.strategy.proof.ask import Asker
from riskseg.strategy.proof.decision import decided as decided_by_terms
from riskseg.strategy.proof.prove import prove
from tests.support.accounts import decided, random_accounts
from tests.support.strategies import SMALL, changed, read, sound

AS_OF = date(2026, 3, 2)
PATHS = """\
trace: {for: [trace], starts: episode_started_on, steps: [{day: 10, action: agency}], then: stay}
chase: {for: [chase, soft, far], starts: as_of, steps: [{day: 0, action: sms}]}
leave: {for: [leave], starts: as_of}
"""
HEAD = f"{SMALL['strategy.yaml']}constants: {{much: 99.5}}\n"
CELLS = """\
columns: [days_past_due, balance_overdue, months_on_book, note, lifecycle]
rows:
  - {id: a, match: [0..30, "> $much", any, any, any], segment: chase}
  - {id: b, match: [31..60, ..100, 6.., not plain, any], segment: soft}
  - {id: c, match: ["> 60", any, [..5, 24..36], any, [not live, not written_off]], segment: trace}
  - {id: d, match: [any, "< 0.5", any, [not plain, not odd], not live], segment: far}
  - {id: e, match: [0, any, any, any, any], segment: soft}
  - {id: rest, match: [any, any, any, any, any], segment: leave}
"""
CONDITIONS = {
    "a": "days_past_due <= 30 and balance_overdue > 99.5",
    "b": "days_past_due between 31 and 60 and balance_overdue <= 100 and months_on_book >= 6 "
    "and note <> 'plain'",
    "c": "days_past_due > 60 and (months_on_book <= 5 or months_on_book between 24 and 36) "
    "and lifecycle not in ('live', 'written_off')",
    "d": "balance_overdue < 0.5 and note not in ('plain', 'odd') and lifecycle <> 'live'",
    "e": "days_past_due = 0",
}
TIERS = "row:\n" + "".join(
    f'  - {{tier: {row}, when: "{condition}", unknown: skip}}\n'
    for row, condition in CONDITIONS.items()
)
WRITTEN_OUT = """\
columns: [row]
rows:
  - {id: a, match: [a], segment: chase}
  - {id: b, match: [b], segment: soft}
  - {id: c, match: [c], segment: trace}
  - {id: d, match: [d], segment: far}
  - {id: e, match: [e], segment: soft}
  - {id: rest, match: [any], segment: leave}
"""


def with_cells(cells: str = CELLS) -> dict[str, str]:
    guards = SMALL["guards.yaml"]
    return {
        "strategy.yaml": HEAD,
        "segments.yaml": cells,
        "paths.yaml": PATHS,
        "guards.yaml": guards,
    }


def with_tiers() -> dict[str, str]:
    tiers = TIERS + "  - {tier: rest, otherwise: true}\n"
    head = HEAD.replace("constants: {much: 99.5}\n", "")
    return {
        **with_cells(WRITTEN_OUT),
        "strategy.yaml": head,
        "tiers.yaml": tiers.replace(", unknown: skip}", "}", 1).replace(
            'when: "days_past_due = 0", unknown: skip', 'when: "days_past_due = 0"'
        ),
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cells").mkdir()
    return tmp_path / "cells"


def test_cells_decide_as_conditions_do(folder: Path, tmp_path: Path) -> None:
    cells, tiers = sound(folder, with_cells()), sound(tmp_path, with_tiers())
    accounts = random_accounts(tiers, AS_OF, 600, seed=11)
    by_cells, by_tiers = (decided(s, accounts, AS_OF) for s in (cells, tiers))
    names = ("segment", "path", "action")
    assert [[r[n] for n in names] for r in by_cells] == [[r[n] for n in names] for r in by_tiers]
    assert {row["segment"] for row in by_cells} == {"chase", "soft", "trace", "far", "leave"}


def test_the_terms_of_proofs_decide_so_too(folder: Path) -> None:
    strategy = sound(folder, with_cells())
    accounts = random_accounts(strategy, AS_OF, 60, seed=12)
    by_sql = decided(strategy, accounts, AS_OF)
    by_terms = [decided_by_terms(strategy, account, ["segment"]) for account in accounts]
    assert by_terms == [{"segment": row["segment"]} for row in by_sql]


def test_a_long_table_is_proved_row_by_row(folder: Path) -> None:
    rows = "".join(
        f"  - {{id: r{n}, match: [{n}], segment: {('chase', 'leave')[n % 2]}}}\n" for n in range(70)
    )
    again = "  - {id: again, match: [10..12], segment: trace}\n"
    rest = "  - {id: rest, match: [any], segment: trace}\n"
    texts = with_cells(f"columns: [days_past_due]\nrows:\n{rows}{rest}")
    texts["strategy.yaml"] = texts["strategy.yaml"].partition("constants")[0]
    texts["paths.yaml"] = PATHS.replace("chase, soft, far", "chase")
    found = prove(sound(folder, texts), Granted(), Asker(5.0))
    reached = [r for r in found if r.claim == "row-reached" and r.subject.startswith("segments")]
    assert len(reached) == 71
    assert {result.verdict for result in reached} == {"proved"}
    texts["segments.yaml"] = texts["segments.yaml"].replace(rest, again + rest)
    _, [problem] = read(folder, texts)
    assert problem.code == "RS204" and '"again" can never match' in problem.what


def test_cells_are_shown_as_they_are_written(folder: Path) -> None:
    strategy = sound(folder, with_cells())
    rows = {row.id: row.match for row in shown(strategy, from_data=True).rows}
    assert rows["a"][:2] == (("0..30",), ("> 99.5",))
    assert rows["b"][:4] == (("31..60",), ("..100",), ("6..",), ("not plain",))
    assert rows["c"][4] == ("not live", "not written_off")
    other = sound(folder, with_cells(CELLS.replace("0..30", '"<= 30"')))
    assert strategy.fingerprint != other.fingerprint  # a begin at 0 is written, and kept
    same = sound(
        folder,
        with_cells(CELLS.replace('"> $much"', '"> 99.50"')).copy()
        | {"strategy.yaml": HEAD.partition("constants")[0]},
    )
    assert strategy.fingerprint == same.fingerprint


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("0..30", "0..30"),
        ("..30", "..30"),
        ("91..", "91.."),
        (">= 91", "91.."),
        ("<= 30", "..30"),
        ("> 0.50", "> 0.5"),
        ("<-3", "< -3"),
        ("-5 .. -1", "-5..-1"),
        ("= 7", "7"),
        (7, "7"),
        (7.5, "7.5"),
        ("$small..", "50.."),
    ],
)
def test_one_form_for_one_range(written: object, text: str) -> None:
    assert read_range(written, {"small": 50}) == text


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("0-30", "Write `0..30`."),
        ("30..0", "Write `0..30`."),
        ("..", "both included"),
        ("about 30", "both included"),
        ("> $smal", "Declare it"),
        (True, "both included"),
        ("0..30..60", "both included"),
    ],
)
def test_what_is_no_range(written: object, hint: str) -> None:
    with pytest.raises(CellFault) as fault:
        read_range(written, {"small": 50})
    assert hint in fault.value.hint


FAULTS = [
    ("30-60", "[any, high, [new, late]]", "[any, not hihg, any]", 'Did you mean "high"?'),
    ("mixed", "[any, high, [new, late]]", "[any, high, [new, not late]]", "alone"),
    ("number", "[any, high, [new, late]]", "[any, 3, any]", "Write a level."),
]


@pytest.mark.parametrize(("name", "old", "new", "hint"), FAULTS)
def test_what_is_wrong_with_a_cell(
    name: str, old: str, new: str, hint: str, tmp_path: Path
) -> None:
    _, problems = read(tmp_path, changed("segments.yaml", old, new))
    assert (problems[0].code, problems[0].line) == ("RS205", 4)
    assert hint in problems[0].hint


def test_a_part_of_a_whole_number_is_none(folder: Path) -> None:
    _, [problem] = read(folder, with_cells(CELLS.replace("31..60", "30.5..60")))
    assert problem.code == "RS205" and "whole number" in problem.what


def test_not_leaves_the_other_levels(tmp_path: Path) -> None:
    texts = changed("segments.yaml", "[any, high, [new, late]]", "[any, not low, not good]")
    strategy = sound(tmp_path, texts)
    accounts = random_accounts(strategy, AS_OF, 200, seed=13)
    for row in decided(strategy, accounts, AS_OF):
        if row["segment"] != "trace":
            chased = row["risk"] != "low" and row["behaviour"] != "good"
            assert (row["segment"] == "chase") == chased
