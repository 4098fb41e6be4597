"""The texts that split a segment, over tables of other forms: each is checked as it would be."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from riskseg.insight.split_changes import SplitRule, changes
from riskseg.rules.model import Strategy
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
    texts = {Path(change.file).name: change for change in changes(strategy, rule)}
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
