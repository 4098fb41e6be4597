"""A scorecard as a table in a text file (CSV, UTF-8), one line a bin: enough to score by hand.

The columns are `what`, `feature`, `bin`, `from`, `to`, `levels`, `feature_2`, `bin_2`, `from_2`,
`to_2`, `levels_2` and `value`. `what` is one of:

- scale: what scores mean. An account's margin, the log-odds of the bad outcome, is
  ln(2) (score_at - score) / points_to_double_odds - ln(odds_at);
- base: the points everyone starts from;
- points: the points of a bin of one feature. `bin` is range (from `from`, included, to `to`, not
  included; empty is without end), levels (`levels` is a JSON list), other (any other level) or
  missing;
- pair: the points of a bin of one feature with a bin of another, on top;
- calibration: what makes a margin a probability, by name. `kind` says how; an isotonic map is
  points, each `from` a margin, with the log-odds as its value. `then_slope` and `then_intercept`
  are a line that comes after.

The score is the base plus one `points` line a feature and one `pair` line a pair.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from riskseg.domain.problems import problem
from riskseg.learning.calibration import Calibration
from riskseg.learning.scorecard.tables import Scorecard, decimal

if TYPE_CHECKING:
    from riskseg.learning.artefact import Model

PLACE = ("feature", "bin", "from", "to", "levels")
COLUMNS = ("what", *PLACE, *(f"{column}_2" for column in PLACE), "value")


def points_csv(model: Model) -> str:
    """The table. Raises ProblemsError (RS004) where the model is not a scorecard."""
    if not isinstance(model.scorer, Scorecard):
        raise problem(
            "RS004",
            f"The model {model.name} {model.version} is no scorecard: it has no points.",
            hint="Export it to sql or onnx.",
        )
    told = io.StringIO()
    writer = csv.DictWriter(told, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(_scorecard(model.scorer))
    writer.writerows(_calibration(model.calibration))
    return told.getvalue()


def _scorecard(card: Scorecard) -> Iterator[dict[str, Any]]:
    scale = {
        "score_at": card.scale.score,
        "odds_at": card.scale.odds,
        "points_to_double_odds": card.scale.to_double,
    }
    for name, value in scale.items():
        yield {"what": "scale", "feature": name, "value": value}
    yield {"what": "base", "value": decimal(card.base)}
    for table in card.tables:
        for shown, points in zip(table.bins.described(), table.points, strict=True):
            place = _place(table.bins.name, shown)
            yield {"what": "points", **place, "value": decimal(points)}
    for pair in card.pairs:
        firsts, seconds = pair.first.described(), pair.second.described()
        both = [(first, second) for first in firsts for second in seconds]
        for (first, second), points in zip(both, pair.points, strict=True):
            other = _place(pair.second.name, second)
            yield {
                "what": "pair",
                **_place(pair.first.name, first),
                **{f"{column}_2": told for column, told in other.items()},
                "value": decimal(points),
            }


def _place(name: str, shown: Mapping[str, Any]) -> dict[str, Any]:
    if "missing" in shown:
        return {"feature": name, "bin": "missing"}
    if "other" in shown:
        return {"feature": name, "bin": "other"}
    if "levels" in shown:
        levels = json.dumps(list(shown["levels"]), ensure_ascii=False)
        return {"feature": name, "bin": "levels", "levels": levels}
    ends = {end: "" if shown[end] is None else repr(shown[end]) for end in ("from", "to")}
    return {"feature": name, "bin": "range", **ends}


def _calibration(calibration: Calibration) -> Iterator[dict[str, Any]]:
    def line(name: str, value: Any, **more: Any) -> dict[str, Any]:
        return {"what": "calibration", "feature": name, "value": value, **more}

    told = calibration.as_json()
    yield line("kind", told["kind"])
    for name in ("slope", "intercept", "a", "b", "c"):
        if name in told:
            yield line(name, repr(told[name]))
    for margin, log_odds in told.get("points", ()):
        yield line("point", repr(log_odds), **{"from": repr(margin)})
    if "then" in told:
        yield line("then_slope", repr(told["then"]["slope"]))
        yield line("then_intercept", repr(told["then"]["intercept"]))
