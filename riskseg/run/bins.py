"""`models bins`: a scorecard's bins with their evidence and points; of trees, their effects."""

from __future__ import annotations

import math
from pathlib import Path

from riskseg.domain.facts import folded
from riskseg.domain.problems import did_you_mean, problem
from riskseg.learning.artefact import Model
from riskseg.pipeline.model_versions import opened
from riskseg.pipeline.session import open_checked
from riskseg.results.models import Effect, EffectAt, ModelBins


def bins(
    root: Path, name: str, version: str | None = None, *, feature: str | None = None
) -> ModelBins:
    """The features of a version (the champion's if none is named), or one of them.

    Raises RS401, RS406, RS410, and RS501 where the model has no such feature.
    """
    model, _ = opened(open_checked(root), name, version, lone=True)
    tables = model.learned_by.point_tables(model)
    whole = ModelBins(
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
    return whole if feature is None else _only(whole, model, feature)


def _effects(model: Model) -> tuple[Effect, ...]:
    effects = []
    for effect in model.evidence.effects:
        values = tuple(
            EffectAt(value=point.value, share=point.share, odds=math.exp(point.margin))
            for point in effect.points
        )
        if values:
            odds = [at.odds for at in values]
            missing = sum(at.share for at in values if at.value is None)
            effects.append(
                Effect(
                    feature=effect.feature,
                    least=min(odds),
                    most=max(odds),
                    missing=missing,
                    values=values,
                )
            )
    return tuple(sorted(effects, key=lambda e: (e.least / e.most, e.feature)))


def _only(whole: ModelBins, model: Model, feature: str) -> ModelBins:
    wanted = folded(feature)
    names = {folded(name): name for name in model.features}
    if wanted not in names:
        dropped = {**model.manifest.dropped, **model.scorer.dropped}
        why = {folded(name): str(reason) for name, reason in dropped.items()}.get(wanted)
        raise problem(
            "RS501",
            f'"{feature}" is not a feature of {model.name} {model.version}'
            + (f": it was left out, {why}." if why else "."),
            hint="" if why else did_you_mean(wanted, names.values()),
        )
    name = names[wanted]
    return whole.model_copy(
        update={
            "features": tuple(bins_of for bins_of in whole.features if bins_of.feature == name),
            "pairs": tuple(pair for pair in whole.pairs if name in pair.features),
            "effects": tuple(effect for effect in whole.effects if effect.feature == name),
        }
    )
