"""How accounts differ from those of training, against plain Python over the same rows."""

from __future__ import annotations

import bisect
import json
import math
import random
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pandas as pd
import pyarrow.parquet as pq
import pytest

from riskseg.learning.drift import Watch
from riskseg.learning.scorecard.imported import Meaning
from riskseg.learning.scorecard.tables import Scale
from riskseg.pipeline.asked import Asked
from riskseg.report.segments.charts.drift import drift_of_models
from riskseg.results.insights.drift import Drifts
from riskseg.run.assign import assign
from riskseg.run.import_card import import_card
from riskseg.run.insight import insight
from tests.support import treated

if TYPE_CHECKING:
    from riskseg.results.insights.report import SegmentReport

FIRST, MIDDLE, LAST = date(2026, 2, 1), date(2026, 2, 15), date(2026, 3, 10)
CARD = """\
feature,levels,points
base,,480
grade,good,60
grade,poor,0
colour,red,10
colour,blue,20
"""
Row = dict[str, Any]


def accounts() -> list[Row]:
    """300 accounts, of which many more have a poor grade on the last day than before; the colour
    of some is not known. Half are billed again in between, and ten were never billed."""
    draw = random.Random(7)  # noqa: S311 (invented data)
    made = []
    for n in range(300):
        issued = [FIRST - timedelta(days=draw.randrange(1, 60))]
        if n % 2:
            issued.append(FIRST + timedelta(days=draw.randrange(1, 50)))
        made.append(
            {
                "id": f"a{n:03}",
                "before": "poor" if draw.random() < 0.2 else "good",
                "after": "poor" if draw.random() < 0.8 else "good",
                "colour": draw.choice(["red", "red", "blue", ""]),
                "issued": issued if n >= 10 else [],
            }
        )
    return made


ACCOUNTS = accounts()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = treated.write(
        tmp_path_factory.mktemp("drift") / "w",
        paths={"one": {"steps": [{"day": 1, "action": "sms"}]}},
        rows={
            "accounts": [
                {
                    "account_id": a["id"],
                    "valid_from": day,
                    "treatment": "one",
                    "grade": grade,
                    "colour": a["colour"],
                }
                for a in ACCOUNTS
                for day, grade in ((date(2026, 1, 1), a["before"]), (LAST, a["after"]))
            ],
            "bills": [
                {
                    "account_id": a["id"],
                    "bill_id": f"{a['id']}{n}",
                    "issued_on": issued,
                    "due_on": issued + timedelta(days=20),
                    "amount": 10,
                }
                for a in ACCOUNTS
                for n, issued in enumerate(a["issued"])
            ],
        },
        head={
            "uses": {"p": "late"},
            "bands": {"risk": {"of": "p", "cuts": {"low": 0.3, "high": 1}}},
            "expects": {"is_away": {"type": "boolean", "else": False}},
        },
        guards=[{"guard": "away", "when": "is_away", "never": ["sms"]}],
    )
    (root / "models").mkdir()
    spec = "name: late\ntarget: {event: late, days_past_due: 5, horizon_days: 20}\n"
    (root / "models" / "late.yaml").write_text(spec)
    (root / "card.csv").write_text(CARD)
    scale = Meaning(Scale(600, 50, 20))
    import_card(root, root / "card.csv", "late", scale, at=treated.AT, reference_as_of=FIRST)
    for day in (FIRST, MIDDLE, LAST):
        assign(root, day, str(root / f"{day}.parquet"), at=treated.AT)
    return root


@pytest.fixture(scope="module")
def answer(root: Path) -> Drifts:
    found = insight(root, "drift", Asked(LAST)).answer
    assert isinstance(found, Drifts)
    return found


def since_bill(account: Row, day: date) -> int | None:
    known = [issued for issued in account["issued"] if issued <= day]
    return (day - max(known)).days if known else None


def index(shares: Sequence[float], rows: int, groups: Sequence[int]) -> float:
    """The PSI of rows in groups against the shares of so many rows."""
    before = smoothed([share * rows for share in shares])
    after = smoothed([groups.count(group) for group in range(len(shares))])
    return sum((q - p) * math.log(q / p) for p, q in zip(before, after, strict=True))


def shares_of(spread: Row) -> list[float]:
    if spread.get("levels") is None:
        return [*spread["shares"], spread["missing"]]
    return [*spread["levels"].values(), spread["other"], spread["missing"]]


def smoothed(counts: Sequence[float]) -> list[float]:
    return [(count + 0.5) / (sum(counts) + 0.5 * len(counts)) for count in counts]


def groups_of(spread: Row, values: Sequence[Any]) -> list[int]:
    if spread.get("levels") is None:
        return [bisect.bisect_right(spread["cuts"], value) for value in values]
    levels = [*spread["levels"]]
    return [len(levels) + 1 if not value else levels.index(value) for value in values]


def billed(day: date) -> list[Row]:
    """The accounts that are scored: those that were billed."""
    return [account for account in ACCOUNTS if since_bill(account, day) is not None]


def test_indices_are_those_of_the_rows(root: Path, answer: Drifts) -> None:
    (place,) = (root / "models" / "late").glob("*/reference.json")
    reference = json.loads(place.read_text())
    assert [row.day for row in answer.scores] == [FIRST, MIDDLE, LAST]
    for row in answer.scores:
        accounts = billed(row.day)
        assert row.accounts == len(accounts)
        spread = reference["probability"]
        decided = pq.read_table(root / f"{row.day}.parquet")["p"].to_pylist()
        groups = groups_of(spread, [float(p) for p in decided if p is not None])
        expected = index(shares_of(spread), reference["rows"], groups)
        assert float(row.psi) == pytest.approx(expected, abs=1e-4)
    accounts = billed(LAST)
    of_last_day = {
        "grade": [account["after"] for account in accounts],
        "colour": [account["colour"] for account in accounts],
    }
    assert [row.feature for row in answer.features] == ["grade", "colour"]
    for feature in answer.features:
        spread = reference["features"][feature.feature]
        groups = groups_of(spread, of_last_day[feature.feature])
        expected = index(shares_of(spread), reference["rows"], groups)
        assert float(feature.csi) == pytest.approx(expected, abs=1e-4)


def test_accounts_are_compared_at_their_point_of_the_billing_cycle(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `learning` needs for that, as it is given for each day."""
    seen: list[list[float]] = []
    see = Watch.see

    def spy(watch: Watch, batch: pd.DataFrame, probability: Any, cycle_day: pd.Series) -> None:
        seen.append(list(cycle_day))
        see(watch, batch, probability, cycle_day)

    monkeypatch.setattr(Watch, "see", spy)
    insight(root, "drift", Asked(LAST))
    assert seen == [[since_bill(a, day) for a in billed(day)] for day in (FIRST, MIDDLE, LAST)]


def test_what_moved_is_named_and_what_did_not_is_not(answer: Drifts) -> None:
    assert [row.differs for row in answer.scores] == [False, False, True]
    assert {row.feature: row.differs for row in answer.features} == {"grade": True, "colour": False}
    words = answer.words()
    assert words.startswith("p: probabilities are spread differently than in training (PSI ")
    assert "1 of its 2 features differ: grade (" in words
    assert "Default values stand for is_away (false), of all accounts." in words


def test_the_chart_draws_the_last_day_and_its_features(answer: Drifts) -> None:
    drawn = drift_of_models(answer, cast("SegmentReport", None))
    assert drawn is not None
    for name, index in (
        ("the probability", answer.scores[-1].psi),
        *((feature.feature, feature.csi) for feature in answer.features),
    ):
        assert f"p, {name}: {index:.3f}, by chance" in drawn
    nothing = answer.model_copy(update={"scores": (), "features": ()})
    assert drift_of_models(nothing, cast("SegmentReport", None)) is None


def test_unknown_values_and_default_values_are_reported(answer: Drifts) -> None:
    facts = {row.fact: row for row in answer.facts}
    colour = next(row for row in answer.features if row.feature == "colour")
    for share, accounts in ((colour.unknown, billed(LAST)), (facts["colour"].unknown, ACCOUNTS)):
        unknown = sum(not account["colour"] for account in accounts) / len(accounts)
        assert float(share or 0) == pytest.approx(unknown, abs=1e-4)
    assert (facts["is_away"].unknown, facts["is_away"].default_value) == (None, "false")
    assert facts["colour"].read_by == "p"
    assert "grade" not in facts
