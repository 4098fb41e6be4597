"""How a model's bins are shown: narrow enough for a terminal of 80 columns."""

from __future__ import annotations

from rich.console import Console

from riskseg.cli.show.tables import number, table
from riskseg.cli.terminal import stdout
from riskseg.learning import words
from riskseg.results.models import Effect, ModelBins
from riskseg.results.scorecard import BinnedFeature, FeaturePair

RISK = {"more": "+", "less": "−", "turns": "±", "flat": "", "levels": ""}
ABSENT = words.ABSENT


def show_bins(model_bins: ModelBins, feature: str | None) -> None:
    """A version's features, or the one that is named bin by bin."""
    if feature is None:
        overview(stdout(), model_bins)
    else:
        detail(stdout(), model_bins, feature)


def overview(console: Console, model_bins: ModelBins) -> None:
    """One line a feature."""
    _head(console, model_bins)
    if model_bins.base is None:
        feature_table = table("feature", "missing", "the odds ×", right=("missing", "the odds ×"))
        for effect in model_bins.effects:
            span = f"{effect.least:.2f} to {effect.most:.2f}"
            feature_table.add_row(effect.feature, _percent(effect.missing), span)
        console.print(feature_table)
        console.print(_without_bins(model_bins))
        return
    right = ("bins", "IV", "AUC", "Gini", "missing", "points")
    feature_table = table(
        "feature", "bins", "IV", "AUC", "Gini", "missing", "risk", "points", right=right
    )
    for binned in model_bins.features:
        feature_table.add_row(
            binned.feature,
            str(len(binned.bins)),
            _figure(binned.iv),
            _figure(binned.auc),
            _figure(binned.gini),
            _percent(binned.missing),
            RISK[binned.risk],
            f"{binned.least:.1f} to {binned.most:.1f}",
        )
    console.print(feature_table)
    _pairs(console, model_bins.pairs)
    console.print(
        "IV, AUC and Gini of each feature alone, in training. Risk: + more is riskier, − less is, "
        "± it turns."
    )


def detail(console: Console, model_bins: ModelBins, feature: str) -> None:
    """The bins of one feature."""
    _head(console, model_bins)
    for effect in model_bins.effects:
        _effect(console, effect, model_bins.kinds[effect.feature])
        console.print(_without_bins(model_bins))
    for binned in model_bins.features:
        _bins(console, binned, model_bins.kinds[binned.feature])
    if not model_bins.features and not model_bins.effects:
        console.print(f"{feature} has no bins of its own: it has points with another feature only.")
    _pairs(console, model_bins.pairs)


def _head(console: Console, model_bins: ModelBins) -> None:
    form = f" ({model_bins.form})" if model_bins.form else ""
    base_text = "" if model_bins.base is None else f", base {model_bins.base:.2f} points"
    console.print(
        f"{model_bins.model} {model_bins.version}: {words.learner(model_bins.learner)}{form}"
        f"{base_text}"
    )


def _without_bins(model_bins: ModelBins) -> str:
    title = words.the_learner(model_bins.learner)
    return (
        f"{title[0].upper()}{title[1:]} has no bins: these are the model's effects, measured by "
        "asking it. For a table of points, write `learners: [scorecard]` in "
        f"models/{model_bins.model}.yaml."
    )


def _bins(console: Console, binned: BinnedFeature, kind: str) -> None:
    figures = [binned.feature]
    if binned.iv is not None:
        figures.append(f"IV {binned.iv:.3f}")
    if binned.auc is not None:
        figures.append(f"AUC {binned.auc:.3f}")
    console.print(", ".join(figures))
    right = ("accounts", "share", "bad", "rate", "WoE", "IV", "points")
    bin_table = table("bin", *right, right=right)
    for bin_ in binned.bins:
        bin_table.add_row(
            words.held(bin_.holds, kind),
            ABSENT if bin_.accounts is None else number(bin_.accounts),
            _percent(bin_.share),
            ABSENT if bin_.bad is None else number(bin_.bad),
            _percent(bin_.bad_rate),
            _figure(bin_.woe),
            _figure(bin_.iv),
            f"{bin_.points:.2f}",
        )
    console.print(bin_table)


def _effect(console: Console, effect: Effect, kind: str) -> None:
    effect_table = table(
        effect.feature, "accounts near it", "the odds ×", right=("accounts near it",)
    )
    for point in effect.values:
        value_text = "missing" if point.value is None else words.value(point.value)
        if kind == "boolean" and point.value is not None:
            value_text = "yes" if point.value else "no"
        effect_table.add_row(value_text, _percent(point.share), f"{point.odds:.2f}")
    console.print(effect_table)


def _pairs(console: Console, pairs: tuple[FeaturePair, ...]) -> None:
    if pairs:
        pair_table = table("two together", "cells", "points", right=("cells", "points"))
        for pair in pairs:
            span = f"{pair.least:.1f} to {pair.most:.1f}"
            pair_table.add_row(" × ".join(pair.features), str(pair.cells), span)
        console.print(pair_table)


def _figure(value: float | None) -> str:
    return ABSENT if value is None else f"{value + 0.0:.3f}"


def _percent(share: float | None) -> str:
    return ABSENT if share is None else f"{100 * share:.1f}%"
