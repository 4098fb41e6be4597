"""The texts that split a segment, over tables of other forms: each is checked as it would be."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from riskseg.domain.facts import Fact, Kind
from riskseg.insight.split_changes import SplitRule, changes
from riskseg.rules.model import Example, Strategy
from tests.support.strategies import FACTS, SMALL, read

TABLE = """\
columns: [region, risk, is_vulnerable]
rows:
  - {id: south, match: [south, any, any], segment: leave}
  - {id: north, match: [north, [low, high], any], segment: chase}
  - {id: rest, match: [any, any, any], segment: chase}
"""
PATHS = """\
all: {for: [leave, chase], starts: as_of}
"""


def strategy_of(folder: Path, **files: str) -> Strategy:
    texts = {name: SMALL[name] for name in ("strategy.yaml", "tiers.yaml", "guards.yaml")}
    texts |= {"segments.yaml": TABLE, "paths.yaml": PATHS}
    texts |= {name.replace("_yaml", ".yaml"): text for name, text in files.items()}
    folder.mkdir()
    strategy, problems = read(folder, texts)
    assert strategy is not None, [problem.what for problem in problems]
    return strategy


@pytest.mark.parametrize(
    ("rule", "segments"),
    [
        # A level of a column: the row that takes it alone leads to the new segment itself.
        (
            SplitRule("chase", FACTS["region"], None, ("north",)),
            {
                "south": "leave",
                "north": "chase_apart",
                "rest_apart": "chase_apart",
                "rest": "chase",
            },
        ),
        (
            SplitRule("chase", FACTS["is_vulnerable"], None, ("true",)),
            {
                "south": "leave",
                "north_apart": "chase_apart",
                "north": "chase",
                "rest_apart": "chase_apart",
                "rest": "chase",
            },
        ),
        (
            SplitRule("leave", FACTS["bills_12m"], Decimal(3)),
            {"south_apart": "leave_apart", "south": "leave", "north": "chase", "rest": "chase"},
        ),
    ],
)
def test_rows_stand_above_those_they_are_taken_from(
    tmp_path: Path, rule: SplitRule, segments: dict[str, str]
) -> None:
    strategy = strategy_of(tmp_path / "before")
    texts = {Path(change.file).name: change for change in changes(strategy, [rule])}
    whole = texts["segments.yaml"].whole
    rows = yaml.safe_load(whole)["rows"]
    assert {row["id"]: row["segment"] for row in rows} == segments
    files = {
        "segments_yaml": whole,
        "paths_yaml": PATHS.replace("for: [leave, chase]", texts["paths.yaml"].text.strip()),
    }
    if "tiers.yaml" in texts:
        files["tiers_yaml"] = f"{SMALL['tiers.yaml']}{texts['tiers.yaml'].text}\n"
    strategy_of(tmp_path / "after", **files)


def test_splits_that_are_pasted_one_after_the_other_combine(tmp_path: Path) -> None:
    strategy = strategy_of(tmp_path / "before")
    rules = [
        SplitRule("chase", FACTS["bills_12m"], Decimal(3)),
        SplitRule("leave", FACTS["is_vulnerable"], None, ("true",)),
    ]
    files, paths, pasted = {}, PATHS, SMALL["tiers.yaml"]
    for change in changes(strategy, rules):
        match Path(change.file).name:
            case "segments.yaml":
                files["segments_yaml"] = change.whole
            case "tiers.yaml":
                pasted += f"{change.text}\n"
            case "paths.yaml":
                paths = f"all: {{{change.text.strip()}, starts: as_of}}\n"
    after = strategy_of(tmp_path / "after", paths_yaml=paths, tiers_yaml=pasted, **files)
    assert after.columns == ("region", "risk", "is_vulnerable", "chase_split")
    assert {row.id: row.segment for row in after.rows} == {
        "south_apart": "leave_apart",
        "south": "leave",
        "north_apart": "chase_apart",
        "north": "chase",
        "rest_apart": "chase_apart",
        "rest": "chase",
    }


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (SplitRule("chase", Fact("bills_paid", Kind.INTEGER), Decimal(3)), "bills_paid: 0"),
        (SplitRule("chase", Fact("credit", Kind.DECIMAL), Decimal("-2.5")), "credit: -3.5"),
        (SplitRule("chase", Fact("rents", Kind.BOOLEAN), None, ("true",)), "rents: false"),
        (SplitRule("chase", Fact("tariff", Kind.TEXT), None, ("other",)), "tariff: other_2"),
        (SplitRule("chase", Fact("age", Kind.INTEGER, nullable=True), Decimal(3)), None),
        # The strategy reads it, so that its examples give it already.
        (SplitRule("chase", FACTS["region"], None, ("north",)), None),
    ],
)
def test_examples_get_a_default_of_what_is_never_unknown(
    tmp_path: Path, rule: SplitRule, text: str | None
) -> None:
    strategy = strategy_of(tmp_path / "before")
    example = Example(name="one", given={}, expect={}, file="examples.yaml", line=1, day=None)
    found = changes(replace(strategy, examples=(example,)), [rule])
    added = [change.text.strip() for change in found if change.file == "examples.yaml"]
    assert added == ([] if text is None else [text])
