"""The chart of drift: the probability and the features of each model beside training."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from riskseg.report.drawing import BLUE, GREY, INK, ORANGE, WHOLE, Drawing, rounded_up
from riskseg.results.insights.drift import Drifts
from riskseg.results.insights.report import SegmentReport

_ROW, _HEAD, _NAME = 22, 32, 190
# As many letters of a name have room; the whole name is in the text over its bar.
_LETTERS = 26
# Features of each model that are drawn, those that differ most.
_MOST = 8
# The customary bounds of small and of large drift.
_BOUNDS = (0.10, 0.25)


def drift_of_models(answer: Drifts, _report: SegmentReport) -> Markup | None:
    """A bar for the probability of each model and for the features that differ most."""
    models = list(dict.fromkeys(row.model for row in answer.scores))
    bars = {model: [*_bars(answer, model)] for model in models}
    if not models:
        return None
    chart = Drawing(
        "drift-models",
        "Drift of probabilities and features",
        "The stability index of each model's probability and of the features that differ most, and "
        f"what chance gives. {answer.words()}",
        (WHOLE, 90 + _HEAD * len(models) + _ROW * sum(map(len, bars.values()))),
        left=_NAME,
        right=30,
        top=24,
    )
    most = max(index for of_model in bars.values() for _, index, *_ in of_model)
    scale = chart.x(0, max(rounded_up(most), 0.3))
    chart.across(scale, scale.ticks(80), "{:.2f}".format, "stability index (PSI, CSI)")
    for bound in _BOUNDS:
        chart.line((scale(bound), chart.top), (scale(bound), chart.bottom), GREY, 1.5, "5 3")
    y = chart.top
    for model, of_model in bars.items():
        chart.text((0, y + _HEAD - 8), model, bold=True)
        y += _HEAD
        for name, index, by_chance, differs in of_model:
            colour = ORANGE if differs else BLUE
            hover = f"{model}, {name}: {index:.3f}, by chance {by_chance:.3f}"
            shown = name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"
            chart.text((chart.left - 10, y + _ROW / 2 + 4), shown, anchor="end")
            chart.box(chart.left, y + 4, scale(index) - chart.left, _ROW - 8, colour, hover)
            tick = scale(by_chance)
            chart.line((tick, y + 2), (tick, y + _ROW - 2), INK, 2)
            y += _ROW
    chart.legend(
        [
            ("as in training", BLUE, "box"),
            ("differs", ORANGE, "box"),
            ("by chance", INK, "tick"),
            ("0.10 and 0.25", GREY, "dash"),
        ]
    )
    return chart.done()


def _bars(answer: Drifts, model: str) -> Iterator[tuple[str, float, float, bool]]:
    """Name, index, what chance gives, and whether it differs."""
    last = [row for row in answer.scores if row.model == model][-1]
    yield "the probability", float(last.psi), float(last.by_chance), last.differs
    features = [row for row in answer.features if row.model == model]
    for row in features[:_MOST]:
        yield row.feature, float(row.csi), float(row.by_chance), row.differs
