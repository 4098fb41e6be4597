"""What the starters declare must come out is their intent: it holds when a cut is moved a little or
a segment is added, and not only for the cuts of today."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from riskseg.pipeline.strategy_versions import checked_editions
from riskseg.rules.model import Strategy
from riskseg.rules.proof_account import Granted, any_account
from riskseg.strategy.proof.ask import Asker
from riskseg.strategy.proof.decision import decide
from riskseg.strategy.proof.rules import prove_other_rules
from tests.docs.pages import ROOT

STARTERS = ("household-utility", "account-file")
# Band cuts, the values of constants, and numbers that tiers compare with; zero is no cut.
CUTS = {
    "strategy.yaml": re.compile(r"(?<=: )0\.\d+(?=[,}])|(?<=value: )\d+"),
    "tiers.yaml": re.compile(r"(?<=[<>] )[1-9]\d*|(?<=[<>]= )[1-9]\d*"),
}


def moved(text: str, *, up: bool) -> str:
    """A cut a tenth higher or lower; a whole number at least 1 so."""
    if "." in text:
        return f"{float(text) * (1.1 if up else 0.9):.4f}"
    by = max(1, int(text) // 10)
    return str(int(text) + (by if up else -by))


def variants(starter: str) -> Iterator[tuple[str, str, str]]:
    """Each file of a starter with one cut moved: what was moved, the file, its text."""
    for file, pattern in CUTS.items():
        path = ROOT / "rules" / starter / file
        text = path.read_text() if path.is_file() else ""
        # Comments speak of no cut: blanks take their place, so that places stay.
        code = re.sub(r"#.*", lambda comment: " " * len(comment[0]), text)
        for cut in pattern.finditer(code):
            for new in (moved(cut[0], up=True), moved(cut[0], up=False)):
                line = text.count("\n", 0, cut.start()) + 1
                changed = text[: cut.start()] + new + text[cut.end() :]
                yield f"{file}:{line} {cut[0]} to {new}", file, changed


EVERY = [(starter, *variant) for starter in STARTERS for variant in variants(starter)]


def strategy_in(folder: Path) -> Strategy:
    with checked_editions(None, [str(folder)], folder, data=False) as (_, [edition]):
        return edition.strategy


def refuted(strategy: Strategy) -> list[str]:
    """The declared properties that some account breaks, or that are not settled."""
    decision = decide(strategy, any_account(strategy.facts, Granted()))
    return [
        f"{result.subject}: {result.verdict}"
        for result in prove_other_rules(strategy, decision, Asker(20.0))
        if result.claim == "declared" and result.verdict != "proved"
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "s"


@pytest.mark.parametrize(
    ("starter", "moved_cut", "file", "text"),
    [
        pytest.param(
            *variant, id=f"{variant[0]} {variant[1]}", marks=[pytest.mark.slow] if i % 8 else []
        )
        for i, variant in enumerate(EVERY)
    ],
)
def test_a_cut_that_moves_a_little_refutes_nothing(
    starter: str, moved_cut: str, file: str, text: str, folder: Path
) -> None:
    shutil.copytree(ROOT / "rules" / starter, folder)
    (folder / file).write_text(text)
    assert refuted(strategy_in(folder)) == []


def test_cuts_are_found() -> None:
    assert len([one for one in EVERY if one[0] == "household-utility"]) >= 30
    # Three cuts and four constants, each moved up and down.
    assert len([one for one in EVERY if one[0] == "account-file"]) == 14


# A row, the row above which it comes, and the path of its segment.
SEGMENTS = {
    "household-utility": (
        "  - {id: firm, match: [any, in_arrears, medium, any, any], segment: firm}\n",
        "  - {id: standard,",
        "firm:\n  for: [firm]\n  starts: episode_started_on\n  steps:\n"
        "    - {day: 4, action: letter}\n    - {day: 45, action: final_notice}\n"
        "  stay: deliberately\n",
    ),
    "account-file": (
        "  - {id: firm, match: [high], segment: firm}\n",
        "  - {id: medium,",
        "firm: {for: [firm], starts: as_of, steps: [{day: 0, action: letter}]}\n",
    ),
}


@pytest.mark.parametrize("starter", STARTERS)
def test_a_segment_that_is_added_refutes_nothing(starter: str, folder: Path) -> None:
    shutil.copytree(ROOT / "rules" / starter, folder)
    row, above, path = SEGMENTS[starter]
    table, paths = folder / "segments.yaml", folder / "paths.yaml"
    text = table.read_text()
    if starter == "account-file":  # the segment that had these accounts goes
        text = re.sub(r"  - {id: high,.*\n", "", text)
        paths.write_text(paths.read_text().replace("[write, review]", "[review]"))
    assert above in text
    table.write_text(text.replace(above, row + above))
    paths.write_text(f"{paths.read_text()}\n{path}")
    strategy = strategy_in(folder)
    assert "firm" in strategy.segments
    assert refuted(strategy) == []


def test_a_group_that_gets_what_it_must_not_get_is_refuted(folder: Path) -> None:
    shutil.copytree(ROOT / "rules/household-utility", folder)
    table = folder / "segments.yaml"
    table.write_text(table.read_text().replace("in_arrears, low, [new", "in_arrears, any, [new"))
    assert refuted(strategy_in(folder)) == ["self_cure_is_for_low_risk: refuted"]


# Changes of the bands of account-file: its properties name none of them.
ADDED = "  - {id: none, match: [none], segment: leave_alone}\n"
BANDS = {
    "bands by other names": [
        (file, old, new)
        for old, new in (("very_high", "red"), ("medium", "amber"))
        for file in ("strategy.yaml", "segments.yaml", "examples.yaml")
    ],
    "a band that is added": [
        ("strategy.yaml", "{low: 0.10,", "{none: 0.01, low: 0.10,"),
        ("segments.yaml", "rows:\n", f"rows:\n{ADDED}"),
    ],
}


@pytest.mark.parametrize("change", BANDS)
def test_other_bands_refute_nothing(change: str, folder: Path) -> None:
    shutil.copytree(ROOT / "rules/account-file", folder)
    for file, old, new in BANDS[change]:
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new))
    assert refuted(strategy_in(folder)) == []


def test_a_band_that_begins_too_late_is_refuted(folder: Path) -> None:
    shutil.copytree(ROOT / "rules/account-file", folder)
    head = folder / "strategy.yaml"
    head.write_text(head.read_text().replace("high: 0.50, very_high", "high: 0.80, very_high"))
    assert refuted(strategy_in(folder)) == ["the_most_likely_are_called: refuted"]
