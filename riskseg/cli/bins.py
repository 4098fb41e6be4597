"""How a model's bins are shown: narrow enough for a terminal of 80 columns."""

from __future__ import annotations

from rich.console import Console

from riskseg.cli.progress import stdout
from riskseg.cli.show import number, table
from riskseg.learning import words
from riskseg.results.models import Effect, ModelBins
from riskseg.results.scorecard import BinnedFeature, FeaturePair

RISK = {"more": "+", "less": "−", "turns": "±", "flat": "", "levels": ""}
ABSENT = words.ABSENT


def bins(done: ModelBins, feature: str | None) -> None:
    """A version's features, or the one that is named bin by bin."""
    if feature is None:
        overview(stdout(), done)
    else:
        detail(stdout(), done, feature)


def overview(console: Console, done: ModelBins) -> None:
    """One line a feature."""
    _head(console, done)
    if done.base is None:
        made = table("feature", "missing", "the odds ×", right=("missing", "the odds ×"))
        for effect in done.effects:
            span = f"{effect.least:.2f} to {effect.most:.2f}"
            made.add_row(effect.feature, _percent(effect.missing), span)
        console.print(made)
        console.print(_without_bins(done))
        return
    right = ("bins", "IV", "AUC", "Gini", "missing", "points")
    made = table("feature", "bins", "IV", "AUC", "Gini", "missing", "risk", "points", right=right)
    for binned in done.features:
        made.add_row(
            binned.feature,
            str(len(binned.bins)),
            _figure(binned.iv),
            _figure(binned.auc),
            _figure(binned.gini),
            _percent(binned.missing),
            RISK[binned.risk],
            f"{binned.least:.1f} to {binned.most:.1f}",
        )
    console.print(made)
    _pairs(console, done.pairs)
    console.print(
        "IV, AUC and Gini of each feature alone, in training. Risk: + more is riskier, − less is, "
        "± it turns."
    )


def detail(console: Console, done: ModelBins, feature: str) -> None:
    """The bins of one feature."""
    _head(console, done)
    for effect in done.effects:
        _effect(console, effect, done.kinds[effect.feature])
        console.print(_without_bins(done))
    for binned in done.features:
        _bins(console, binned, done.kinds[binned.feature])
    if not done.features and not done.effects:
        console.print(f"{feature} has no bins of its own: it has points with another feature only.")
    _pairs(console, done.pairs)


def _head(console: Console, done: ModelBins) -> None:
    form = f" ({done.form})" if done.form else ""
    base = "" if done.base is None else f", base {done.base:.2f} points"
    console.print(f"{done.model} {done.version}: {words.learner(done.learner)}{form}{base}")


def _without_bins(done: ModelBins) -> str:
    title = words.the_learner(done.learner)
    return (
        f"{title[0].upper()}{title[1:]} has no bins: these are the model's effects, measured by "
        "asking it. A table of points comes of `learners: [scorecard]` in "
        f"models/{done.model}.yaml."
    )


def _bins(console: Console, binned: BinnedFeature, kind: str) -> None:
    figures = [binned.feature]
    if binned.iv is not None:
        figures.append(f"IV {binned.iv:.3f}")
    if binned.auc is not None:
        figures.append(f"AUC {binned.auc:.3f}")
    console.print(", ".join(figures))
    right = ("accounts", "share", "bad", "rate", "WoE", "IV", "points")
    made = table("bin", *right, right=right)
    for b in binned.bins:
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


def _pairs(console: Console, pairs: tuple[FeaturePair, ...]) -> None:
    if pairs:
        made = table("two together", "cells", "points", right=("cells", "points"))
        for pair in pairs:
            span = f"{pair.least:.1f} to {pair.most:.1f}"
            made.add_row(" × ".join(pair.features), str(pair.cells), span)
        console.print(made)


def _figure(value: float | None) -> str:
    return ABSENT if value is None else f"{value + 0.0:.3f}"


def _percent(share: float | None) -> str:
    return ABSENT if share is None else f"{100 * share:.1f}%"
