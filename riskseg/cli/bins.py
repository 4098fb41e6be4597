"""How a model's bins are shown: narrow enough for a terminal of 80 columns."""

from __future__ import annotations

from rich.console import Console

from riskseg.cli.progress import stdout
from riskseg.cli.show import number, table
from riskseg.learning import words
from riskseg.results.models import BinnedFeature, Effect, FeaturePair, ModelBins

RISK = {"more": "+", "less": "−", "turns": "±", "flat": "", "levels": ""}
ABSENT = words.ABSENT


def bins(done: ModelBins, feature: str | None) -> None:
    """A version's features, or the one that is named bin by bin."""
    if feature is None:
        overview(stdout(), done)
    else:
        detail(stdout(), done, feature)


def overview(console: Console, found: ModelBins) -> None:
    """One line a feature."""
    _head(console, found)
    if found.base is None:
        made = table("feature", "missing", "the odds ×", right=("missing", "the odds ×"))
        for effect in found.effects:
            span = f"{effect.least:.2f} to {effect.most:.2f}"
            made.add_row(effect.feature, _percent(effect.missing), span)
        console.print(made)
        console.print(_without_bins(found))
        return
    right = ("bins", "IV", "AUC", "Gini", "missing", "points")
    made = table("feature", "bins", "IV", "AUC", "Gini", "missing", "risk", "points", right=right)
    for one in found.features:
        made.add_row(
            one.feature,
            str(len(one.bins)),
            _figure(one.iv),
            _figure(one.auc),
            _figure(one.gini),
            _percent(one.missing),
            RISK[one.risk],
            f"{one.least:.1f} to {one.most:.1f}",
        )
    console.print(made)
    _pairs(console, found.pairs)
    console.print(
        "IV, AUC and Gini of each feature alone, in training. Risk: + more is riskier, − less is, "
        "± it turns."
    )


def detail(console: Console, found: ModelBins, feature: str) -> None:
    """The bins of one feature."""
    _head(console, found)
    for effect in found.effects:
        _effect(console, effect, found.kinds[effect.feature])
        console.print(_without_bins(found))
    for one in found.features:
        _bins(console, one, found.kinds[one.feature])
    if not found.features and not found.effects:
        console.print(f"{feature} has no bins of its own: it has points with another feature only.")
    _pairs(console, found.pairs)


def _head(console: Console, found: ModelBins) -> None:
    form = f" ({found.form})" if found.form else ""
    base = "" if found.base is None else f", base {found.base:.2f} points"
    console.print(f"{found.model} {found.version}: {words.learner(found.learner)}{form}{base}")


def _without_bins(found: ModelBins) -> str:
    title = words.the_learner(found.learner)
    return (
        f"{title[0].upper()}{title[1:]} has no bins: these are the model's effects, measured by "
        "asking it. A table of points comes of `learners: [scorecard]` in "
        f"models/{found.model}.yaml."
    )


def _bins(console: Console, one: BinnedFeature, kind: str) -> None:
    figures = [one.feature]
    if one.iv is not None:
        figures.append(f"IV {one.iv:.3f}")
    if one.auc is not None:
        figures.append(f"AUC {one.auc:.3f}")
    console.print(", ".join(figures))
    right = ("accounts", "share", "bad", "rate", "WoE", "IV", "points")
    made = table("bin", *right, right=right)
    for b in one.bins:
        made.add_row(
            words.held(b.holds, kind),
            ABSENT if b.accounts is None else number(b.accounts),
            _percent(b.share),
            ABSENT if b.bad is None else number(b.bad),
            _percent(b.bad_rate),
            _figure(b.woe),
            _figure(b.iv),
            f"{b.points:.2f}",
        )
    console.print(made)


def _effect(console: Console, effect: Effect, kind: str) -> None:
    made = table(effect.feature, "accounts near it", "the odds ×", right=("accounts near it",))
    for at in effect.values:
        shown = "missing" if at.value is None else words.value(at.value)
        if kind == "boolean" and at.value is not None:
            shown = "yes" if at.value else "no"
        made.add_row(shown, _percent(at.share), f"{at.odds:.2f}")
    console.print(made)


def _pairs(console: Console, found: tuple[FeaturePair, ...]) -> None:
    if found:
        made = table("two together", "cells", "points", right=("cells", "points"))
        for pair in found:
            span = f"{pair.least:.1f} to {pair.most:.1f}"
            made.add_row(" × ".join(pair.features), str(pair.cells), span)
        console.print(made)


def _figure(value: float | None) -> str:
    return ABSENT if value is None else f"{value + 0.0:.3f}"


def _percent(share: float | None) -> str:
    return ABSENT if share is None else f"{100 * share:.1f}%"
