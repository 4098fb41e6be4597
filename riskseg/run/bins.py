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
    all_bins = ModelBins(
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
    return all_bins if feature is None else _only(all_bins, model, feature)


def _effects(model: Model) -> tuple[Effect, ...]:
    effects = []
    for effect in model.evidence.effects:
        values_with_odds = tuple(
            EffectAt(value=point.value, share=point.share, odds=math.exp(point.margin))
            for point in effect.points
        )
        if values_with_odds:
            odds = [value_at.odds for value_at in values_with_odds]
            missing = sum(value_at.share for value_at in values_with_odds if value_at.value is None)
            effects.append(
                Effect(
                    feature=effect.feature,
                    least=min(odds),
                    most=max(odds),
                    missing=missing,
                    values=values_with_odds,
                )
            )
    return tuple(
        sorted(
            effects,
            key=lambda effect_shown: (effect_shown.least / effect_shown.most, effect_shown.feature),
        )
    )


def _only(all_bins: ModelBins, model: Model, feature: str) -> ModelBins:
    wanted_feature = folded(feature)
    written_names = {folded(written_name): written_name for written_name in model.features}
    if wanted_feature not in written_names:
        dropped = {**model.manifest.dropped, **model.scorer.dropped}
        left_out_reason = {
            folded(written_name): str(reason) for written_name, reason in dropped.items()
        }.get(wanted_feature)
        raise problem(
            "RS501",
            f'"{feature}" is not a feature of {model.name} {model.version}'
            + (f": it was left out, {left_out_reason}." if left_out_reason else "."),
            hint="" if left_out_reason else did_you_mean(wanted_feature, written_names.values()),
        )
    written_name = written_names[wanted_feature]
    return all_bins.model_copy(
        update={
            "features": tuple(
                bins_of for bins_of in all_bins.features if bins_of.feature == written_name
            ),
            "pairs": tuple(pair for pair in all_bins.pairs if written_name in pair.features),
            "effects": tuple(
                effect for effect in all_bins.effects if effect.feature == written_name
            ),
        }
    )
