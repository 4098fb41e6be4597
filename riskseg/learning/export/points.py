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
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from riskseg.learning.calibration import Calibration

if TYPE_CHECKING:
    from riskseg.learning.artefact import Model

PLACE = ("feature", "bin", "from", "to", "levels")
COLUMNS = ("what", *PLACE, *(f"{column}_2" for column in PLACE), "value")


def points_csv(model: Model) -> str:
    """The table. Raises ProblemsError (RS004) where the model is not made of points."""
    points_text = io.StringIO()
    writer = csv.DictWriter(points_text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(model.learned_by.points_rows(model))
    writer.writerows(_calibration(model.calibration))
    return points_text.getvalue()


def _calibration(calibration: Calibration) -> Iterator[dict[str, Any]]:
    def line(coefficient_name: str, value: Any, **more: Any) -> dict[str, Any]:
        return {"what": "calibration", "feature": coefficient_name, "value": value, **more}

    calibration_json = calibration.as_json()
    yield line("kind", calibration_json["kind"])
    for coefficient_name in ("slope", "intercept", "a", "b", "c"):
        if coefficient_name in calibration_json:
            yield line(coefficient_name, repr(calibration_json[coefficient_name]))
    for margin, log_odds in calibration_json.get("points", ()):
        yield line("point", repr(log_odds), **{"from": repr(margin)})
    if "then" in calibration_json:
        yield line("then_slope", repr(calibration_json["then"]["slope"]))
        yield line("then_intercept", repr(calibration_json["then"]["intercept"]))
