"""What the model reads, and what each feature does to the odds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from riskseg.domain.columns import values_meant
from riskseg.domain.facts import glossed
from riskseg.learning import words
from riskseg.learning.evidence import verdicts
from riskseg.learning.evidence.model import Effect
from riskseg.learning.reference import Spread
from riskseg.learning.words import count, percent, plural
from riskseg.report.drawing import MOST_BARS
from riskseg.report.markup import (
    Html,
    absent,
    element,
    figure,
    folded,
    joined,
    paragraph,
    table,
)
from riskseg.report.model_card import charts_of_features
from riskseg.report.model_card.material import OPEN_FEATURES, Material


def features(m: Material) -> Html:
    effects = m.evidence.effects
    parts: list[object] = []
    many = len(m.manifest.features)
    read = len(verdicts.features_read(m.manifest, m.evidence))
    of = f" of the {count(many)} it was offered" if read < many else ""
    parts.append(
        paragraph(
            f"The model reads {plural(read, 'feature')}{of}. What each one does is measured on the "
            "model that ships: the feature is set to a value, everything else stays as it is in a "
            "sample of accounts, and the mean change of the log-odds is taken. ×2 means that the "
            "odds of the bad outcome double."
        )
    )
    if effects:
        more = (
            f" The strongest {MOST_BARS} of {len(effects)}." if (len(effects) > MOST_BARS) else ""
        )
        parts.append(
            figure(
                "How far each feature moves the odds",
                charts_of_features.strength(effects),
                "The mean distance from the average account over the values accounts really have."
                + more,
                key="chart-strength",
                klass="wide",
            )
        )
        parts.append(_effects(effects))
    else:
        parts.append(absent("No effects were measured for this version."))
    parts.append(_monotone(m))
    parts.append(_feature_table(m, effects))
    return joined(parts)


def _effects(effects: Sequence[Effect]) -> Html:
    ranked = sorted(effects, key=lambda e: (-charts_of_features.reach(e), e.feature))
    spans = [charts_of_features.span(e) for e in ranked]
    low = min(-0.1, min(s[0] for s in spans)) * 1.08
    high = max(0.1, max(s[1] for s in spans)) * 1.08
    shown = []
    for n, e in enumerate(ranked):
        ends = charts_of_features.span(e)
        of = [f"×{math.exp(end):.2f}" for end in ends]
        more = len(e.points) - charts_of_features.MOST_LEVELS
        beyond = charts_of_features.beyond(e)
        rest = f"; {more} rarer levels not drawn" if e.kind != "number" and more > 0 else ""
        shown.append(
            element(
                "figure",
                element("h4", e.feature),
                charts_of_features.effect(e, (low, high), f"effect-{n + 1}"),
                element(
                    "figcaption",
                    f"{of[0]} to {of[1]}{_direction(e.direction)}{rest}{beyond}",
                ),
                klass="small-chart",
            )
        )
    about = (
        "All on one scale, the strongest first. Grey bars: how many accounts have the value. "
        "A hollow diamond stands for a missing value."
    )
    first = element("div", *shown[:OPEN_FEATURES], klass="triple")
    parts: list[object] = [element("h3", "The shape of each effect"), paragraph(about), first]
    if len(shown) > OPEN_FEATURES:
        others = shown[OPEN_FEATURES:]
        parts.append(folded(f"The other {len(others)}", element("div", *others, klass="triple")))
    return element("div", joined(parts), id="chart-effects")


def _monotone(m: Material) -> Html:
    rows = m.evidence.monotone
    parts: list[object] = [element("h3", "Monotonicity, measured")]
    if not rows:
        parts.append(absent("No feature has a declared direction, so there was none to measure."))
        return joined(parts)
    broken = [m for m in rows if m.violations]
    turns = f"{len(broken)} turn" if len(broken) > 1 else f"{len(broken) or 'none'} turns"
    parts.append(
        paragraph(
            f"Of {plural(len(rows), 'feature')} with a declared direction, {turns} against it on "
            "the fitted model."
        )
    )
    ranked = sorted(rows, key=lambda m: (-abs(m.worst), m.feature))
    body = [
        (
            m.feature,
            "more is riskier" if m.direction > 0 else "less is riskier",
            "yes" if m.constrained else "no",
            count(m.violations),
            words.figure(abs(m.worst), 4),
        )
        for m in ranked
    ]
    heads = ("Feature", "Declared", "Constrained", "Turns", "Worst, log-odds")
    shown = table(heads, body, words=3)
    parts.append(folded("The numbers: monotonicity", shown, opened=bool(broken)))
    return joined(parts)


def _feature_table(m: Material, effects: Sequence[Effect]) -> Html:
    reach = {e.feature: charts_of_features.reach(e) for e in effects}
    spreads = m.reference.features
    rows = []
    for f in sorted(m.manifest.features, key=lambda f: (-reach.get(f.name, -1.0), f.name)):
        name, spread = f.name, spreads.get(f.name)
        marks = " (protected)" if f.protected else ""
        says = glossed(f.words) + values_meant(f.as_json())
        kind = " · ".join(filter(None, (f.kind, f.unit)))
        rows.append(
            (
                Html(
                    element("b", f"{name}{marks}") + "<br>" + element("span", says, klass="small")
                ),
                kind,
                {1: "more", -1: "less"}.get(f.direction, words.ABSENT),
                f.family or words.ABSENT,
                _middle(spread, f.kind),
                percent(spread and spread.missing),
                f"×{math.exp(reach[name]):.2f}" if name in reach else words.ABSENT,
            )
        )
    heads = (
        "Feature",
        "Kind",
        "Riskier when",
        "Family",
        "In training",
        "Missing",
        "Moves odds by",
    )
    shown = table(heads, rows, words=5, klass="facts")
    title = f"All {plural(len(rows), 'feature')} it was offered"
    return folded(title, shown, opened=len(rows) <= OPEN_FEATURES)


def _direction(direction: Any) -> str:
    return {1: "; more is riskier", -1: "; less is riskier"}.get(direction, "")


def _middle(seen: Spread | None, kind: str) -> str:
    """Where the training rows lay: the middle 80% of a number, the commonest levels of text."""
    if seen is None:
        return words.ABSENT
    if seen.levels is not None:
        common = sorted(seen.levels.items(), key=lambda item: (-item[1], item[0]))[:3]
        return ", ".join(f"{level} {percent(share, 0)}" for level, share in common) or words.ABSENT
    cuts = seen.cuts
    if not cuts:
        return words.ABSENT
    if kind == "boolean":
        return f"yes {percent(seen.shares[-1], 0)}" if len(cuts) > 1 else words.ABSENT
    low, high = words.value(cuts[0]), words.value(cuts[-1])
    return low if low == high else f"{low} to {high}"
