"""`models bins`: a scorecard's bins with their evidence and points; of trees, their effects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskseg.domain.facts import folded
from riskseg.domain.problems import did_you_mean, problem
from riskseg.learning.artefact import Model
from riskseg.learning.scorecard.summary import FeatureBins, Pair
from riskseg.pipeline.model_versions import opened
from riskseg.pipeline.session import open_checked


@dataclass(frozen=True)
class Effect:
    """What a feature of trees does to the odds of the bad outcome: for each value, the share of
    accounts near it and the factor on the odds against the average account."""

    feature: str
    least: float
    most: float
    missing: float
    values: tuple[EffectAt, ...]


@dataclass(frozen=True)
class EffectAt:
    """`value` None is a null."""

    value: Any
    share: float
    odds: float


@dataclass(frozen=True)
class ModelBins:
    """A version's features: `features` and `pairs` of a model of points, `effects` of any other.
    `kinds` are the kinds of the features' values; `base` the points everyone starts from."""

    model: str
    version: str
    learner: str
    form: str | None
    base: float | None
    kinds: dict[str, str]
    features: tuple[FeatureBins, ...]
    pairs: tuple[Pair, ...]
    effects: tuple[Effect, ...]


def bins(
    root: Path, name: str, version: str | None = None, *, feature: str | None = None
) -> ModelBins:
    """The features of a version (the champion's if none is named), or one of them.

    Raises RS401, RS406, RS410, and RS501 where the model has no such feature.
    """
    model, _ = opened(open_checked(root), name, version, lone=True)
    tables = model.learned_by.point_tables(model)
    found = ModelBins(
        model=model.name,
        version=model.version,
        learner=model.learner,
        form=model.manifest.form,
        base=None if tables is None else tables.base,
        kinds={fact.name: fact.kind.value for fact in model.facts},
        features=() if tables is None else tables.features,
        pairs=() if tables is None else tables.pairs,
        effects=() if tables is not None else _effects(model),
    )
    return found if feature is None else _only(found, model, feature)


def _effects(model: Model) -> tuple[Effect, ...]:
    import math

    told = []
    for effect in model.evidence.effects:
        values = tuple(EffectAt(p.value, p.share, math.exp(p.margin)) for p in effect.points)
        if values:
            odds = [at.odds for at in values]
            missing = sum(at.share for at in values if at.value is None)
            told.append(Effect(effect.feature, min(odds), max(odds), missing, values))
    return tuple(sorted(told, key=lambda e: (e.least / e.most, e.feature)))


def _only(found: ModelBins, model: Model, feature: str) -> ModelBins:
    from dataclasses import replace

    wanted = folded(feature)
    names = {folded(name): name for name in model.features}
    if wanted not in names:
        dropped = {**model.manifest.dropped, **model.scorer.dropped}
        why = {folded(name): str(told) for name, told in dropped.items()}.get(wanted)
        raise problem(
            "RS501",
            f'"{feature}" is not a feature of {model.name} {model.version}'
            + (f": it was left out, {why}." if why else "."),
            hint="" if why else did_you_mean(wanted, names.values()),
        )
    name = names[wanted]
    return replace(
        found,
        features=tuple(one for one in found.features if one.feature == name),
        pairs=tuple(one for one in found.pairs if name in one.features),
        effects=tuple(one for one in found.effects if one.feature == name),
    )
