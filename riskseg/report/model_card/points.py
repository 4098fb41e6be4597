"""A scorecard's tables of points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from riskseg.learning import words
from riskseg.learning.learners import learner_named
from riskseg.learning.words import count, percent, plural
from riskseg.report.markup import (
    Html,
    absent,
    element,
    folded,
    joined,
    paragraph,
    table,
)
from riskseg.report.model_card import charts_of_features
from riskseg.report.model_card.material import OPEN_FEATURES, Material, Told


def points(m: Material) -> Html:
    if m.scorecard is None:
        summands = learner_named(m.learner).sum_of
        return absent(
            f"No table of points: {words.the_learner(m.learner)} ships, and its score is a sum "
            f"over {summands}. Each account's reasons are worked out exactly from those {summands}."
        )
    parts: list[object] = [paragraph(_scale(m))]
    rows = m.scorecard["features"]
    ranked = sorted(rows, key=lambda r: (-_width(r["bins"]), r["feature"]))
    shown = [_bins(m, row, f"bins-{n}") for n, row in enumerate(ranked, 1)]
    parts += shown[:OPEN_FEATURES]
    if len(shown) > OPEN_FEATURES:
        rest = shown[OPEN_FEATURES:]
        parts.append(folded(f"The other {plural(len(rest), 'feature')}", *rest))
    pairs = m.scorecard.get("pairs") or []
    if pairs:
        parts.append(element("h3", "Two features together"))
        parts.append(
            paragraph(
                "Added to the points above. Blue adds points (safer), orange takes them away "
                "(riskier); the number says how many."
            )
        )
        parts += [_heat(m, pair) for pair in pairs]
    else:
        parts.append(absent("No two-way tables: every feature's points stand by themselves."))
    return joined(parts)


def _scale(m: Material) -> str:
    card = m.scorecard or {}
    scale = card.get("scale") or {}
    message = "An account's score is the base plus the points of one bin of every feature. "
    if card.get("base") is not None:
        message += f"The base is {_points(card['base'])}. "
    if scale:
        message += (
            f"{words.value(scale['score'])} points stand for odds of "
            f"{words.value(scale['odds_good_to_bad'])} good to 1 bad, and every "
            f"{words.value(scale['points_to_double_odds'])} points more double them. "
        )
    return message + (
        "High scores are good. Features with the widest range of points come first. Edges of bins "
        "are shown to six figures; scorecard.json has them in full."
    )


def _bins(m: Material, row: Told, key: str) -> Html:
    bins = row["bins"]
    kind = m.kinds.get(row["feature"])
    total = sum(b["count"] for b in bins)
    evidence = any(b.get("woe") is not None for b in bins)
    heads: list[object] = ["", "Holds", "Rows", "Bad", "Bad rate", "Points"]
    if evidence:
        heads.append("WoE")
    body = []
    for n, b in enumerate(bins, 1):
        cells: list[object] = [
            n,
            words.held(b, kind),
            percent(b["count"] / total) if total else words.ABSENT,
            count(b["bad"]),
            percent(b["bad_rate"]),
            _points(b["points"]),
        ]
        if evidence:
            cells.append(words.figure(b.get("woe"), 3))
        body.append(cells)
    average = row.get("average")
    more = f" average account: {_points(average)} points" if float(average or 0) else ""
    return element(
        "figure",
        element("h3", row["feature"], element("span", more, klass="aside")),
        element(
            "div",
            charts_of_features.bins(row, key, kind),
            table(heads, body, words=2, klass="tight"),
            klass="beside",
        ),
        klass="chart bins",
    )


def _points(points: Any) -> str:
    return f"{float(points) + 0.0:.2f}"


def _width(bins: Sequence[Told]) -> float:
    points = [float(b["points"]) for b in bins]
    return max(points) - min(points)


def _heat(m: Material, pair: Told) -> Html:
    """A two-way table, coloured by its points."""
    first, second = pair["features"]
    down, along = (
        [words.held(b, m.kinds.get(name)) for b in bins]
        for name, bins in zip(pair["features"], pair["bins"], strict=True)
    )
    most = max((abs(float(p)) for row in pair["points"] for p in row), default=0.0) or 1.0
    head = element(
        "tr",
        element("th", f"{first} ↓   {second} →", scope="col", klass="corner"),
        *(element("th", name, scope="col") for name in along),
    )
    rows = []
    for n, points in enumerate(pair["points"]):
        cells = []
        for k, point in enumerate(points):
            value = float(point)
            many = pair.get("count")
            rare = f"; {count(many[n][k])} rows" if many else ""
            cells.append(
                element(
                    "td",
                    f"{value:+.2f}" if value else "0.00",
                    style=f"background:{_shade(value / most)}",
                    title=f"{down[n]}; {along[k]}: {_points(point)} points{rare}",
                )
            )
        rows.append(element("tr", element("th", down[n], scope="row"), *cells))
    return element(
        "figure",
        element("h4", f"{first} and {second}"),
        element(
            "div",
            element("table", element("thead", head), element("tbody", *rows), klass="heat"),
            klass="scroll",
            tabindex="0",
        ),
        klass="chart",
    )


def _shade(strength: float) -> str:
    """White at 0, light blue at 1, light orange at -1: dark text stays readable on each."""
    end = (120, 178, 221) if strength > 0 else (240, 160, 96)
    share = min(abs(strength), 1.0)
    return "#" + "".join(f"{round(255 + (c - 255) * share):02x}" for c in end)
