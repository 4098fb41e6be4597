"""The learner of scorecards: tables of points, additive or classic. Cards made elsewhere are
versions of it too: their points are read and used as those it learned."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, StrictBool, field_validator

from riskseg.domain.documents import Shape
from riskseg.domain.facts import Fact, folded
from riskseg.domain.problems import Problems, did_you_mean
from riskseg.learning.canonical import canonical
from riskseg.learning.learner import (
    Edges,
    FeatureName,
    Fit,
    Learner,
    PointTables,
    SqlStages,
    Task,
)
from riskseg.learning.scorecard.card_json import Card
from riskseg.learning.scorecard.edits import Edit, LeastShare, MostBins, check_edits
from riskseg.learning.scorecard.tables import Form, Scorecard
from riskseg.learning.stored import Unreadable, parsed, shaped

if TYPE_CHECKING:
    from riskseg.learning.artefact import Model
    from riskseg.learning.export.onnx_graph import Graph
    from riskseg.learning.spec import AuthoredSpec

# With fewer bad outcomes than this shapes learned freely are mostly chance: the weights of
# evidence of a few wide bins are the simpler form, and do no worse.
FEW_BADS = 300


class ScorecardSettings(Shape):
    """The form of the scorecard (left out: additive, or classic where bins are edited by hand or
    found by optbinning), and what a person wants of its bins: at most `max_bins` a feature with
    at least `min_bin_share` of the accounts each, of a shape (`monotone`); `edits` say it by
    feature. `binning` says who finds the bins of a classic one.

    With `turned_signs` the points of a classic one may run against the weights of evidence of a
    feature without a declared direction. `pairs` are the two-way tables of an additive one, found
    by itself where left out, at most `most_pairs` of them.
    """

    form: Form | None = None
    pairs: (
        Annotated[
            tuple[Annotated[tuple[FeatureName, FeatureName], Field(strict=False)], ...],
            Field(strict=False),
        ]
        | None
    ) = None
    most_pairs: Annotated[int, Field(strict=True, ge=0, le=20)] = 8
    turned_signs: StrictBool = False
    binning: Literal["auto", "optbinning"] = "auto"
    max_bins: MostBins | None = None
    min_bin_share: LeastShare | None = None
    monotone: Literal["auto", "always", "none"] = "auto"
    edits: dict[FeatureName, Edit] = Field(default_factory=dict)

    @property
    def chosen_form(self) -> Form:
        """The form asked for, or the one that the other settings ask for."""
        by_hand = any(edit.by_hand for edit in self.edits.values())
        classic = by_hand or self.turned_signs or self.binning == "optbinning"
        return self.form or ("classic" if classic else "additive")

    @field_validator("edits", mode="before")
    @classmethod
    def _each_once(cls, value: Any) -> Any:
        names = [folded(name) for name in value] if isinstance(value, dict) else []
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"{min(twice)} occurs twice, in another letter case")
        return value


class ScorecardLearner(Learner[Scorecard, ScorecardSettings]):
    name = "scorecard"
    title = "scorecard"
    settings = ScorecardSettings
    settings_help: ClassVar[Mapping[str, str]] = {
        "form": "`additive` (shapes learned freely) or `classic` (weights of evidence)",
        "turned_signs": "let points of a classic one run against the weights of evidence",
        "pairs": "two-way tables of an additive one, `[[a, b], …]`; found if left out",
        "most_pairs": "how many two-way tables may be found",
        "binning": "who finds the bins of a classic one: `auto` or `optbinning`",
        "max_bins": "the most bins of a feature, codes, other levels and nulls apart",
        "min_bin_share": "the least share of all accounts in a bin",
        "monotone": "`auto` (the declared direction, or one turn), `always` or `none`",
        "edits": "`feature: {cuts | levels | without | specials | drop}`: bins by hand; "
        "`{max_bins | min_bin_share | monotone}` of one feature (`increasing`, `decreasing` too)",
    }
    file = "scorecard.json"

    def check(
        self, authored: AuthoredSpec, settings: ScorecardSettings, problems: Problems
    ) -> None:
        def fault(unsupported: str, hint: str, *path: str | int) -> None:
            line = authored.line("scorecard", *path)
            problems.add("RS004", unsupported, file=authored.file, line=line, hint=hint)

        if settings.chosen_form == "classic" and settings.pairs:
            unsupported = "A classic scorecard has no two-way tables."
            fault(unsupported, "Write `form: additive`, or remove `pairs`.", "pairs")
        if settings.chosen_form == "additive":
            of_classic: list[tuple[str, ...]] = [
                ("edits", edited_feature, hand_key)
                for edited_feature, edit in settings.edits.items()
                for hand_key in edit.by_hand
            ]
            if settings.binning != "auto":
                of_classic.append(("binning",))
            for path in of_classic:
                fault(
                    f'"{path[-1]}" is for a classic scorecard: the bins of an additive one are '
                    "where its shapes change.",
                    f"Write `form: classic`, or remove `{path[-1]}`.",
                    *path,
                )
        for index, (first_name, second_name) in enumerate(settings.pairs or ()):
            if first_name == second_name:
                fault(
                    f'"{first_name}" is paired with itself.', "Name two features.", "pairs", index
                )

    def check_features(
        self,
        authored: AuthoredSpec,
        settings: ScorecardSettings,
        features: Sequence[Fact],
        problems: Problems,
        *,
        dropped: Collection[str] = (),
        others: Collection[str] = (),
    ) -> None:
        check_edits(authored, settings.edits, features, problems, others)
        learned_names = [fact.name for fact in features if fact.name not in dropped]
        for index, pair in enumerate(settings.pairs or ()):
            for paired_feature in pair:
                if paired_feature not in learned_names:
                    problems.add(
                        "RS501",
                        f'"{paired_feature}" is not a feature the scorecard learns from.',
                        file=authored.file,
                        line=authored.line("scorecard", "pairs", index),
                        hint=did_you_mean(paired_feature, learned_names),
                    )

    def without_effect(self, settings: ScorecardSettings, dropped: Mapping[str, str]) -> list[str]:
        return [
            f"the edits of {feature} change nothing, since it is left out: {dropped[feature]}. "
            f"`features: {{keep: [{feature}]}}` keeps it"
            for feature, edit in settings.edits.items()
            if feature in dropped and not edit.drop
        ]

    def steps(self, settings: ScorecardSettings) -> int:
        return 6 if settings.chosen_form == "additive" else 4

    def fit(self, settings: ScorecardSettings, task: Task) -> Fit[Scorecard]:
        """Additive tables; classic ones where that is asked for, or where bad outcomes are few."""
        from riskseg.learning.scorecard.additive import fit_additive
        from riskseg.learning.scorecard.classic import fit_classic
        from riskseg.learning.scorecard.controls import Controls

        training, controls = task.training, Controls.of(settings)
        fit_data = (training.rows, training.label, training.weight, task.features, task.folds)
        common: dict[str, Any] = {
            "party": task.party,
            "seed": task.seed,
            "threads": task.threads,
            "say": task.say,
        }
        bads = int(training.label.sum())
        if settings.chosen_form == "additive" and bads >= FEW_BADS:
            return Fit(
                *fit_additive(
                    *fit_data,
                    pairs=settings.pairs,
                    most_pairs=settings.most_pairs,
                    controls=controls,
                    **common,
                )
            )
        fit_notes: tuple[str, ...] = ()
        if settings.chosen_form == "additive":
            fit_notes = (
                f"The scorecard is classic, not additive: {bads} bad outcomes are fewer than the "
                f"{FEW_BADS} that free shapes take.",
            )
        card, out_of_fold, attempts = fit_classic(
            *fit_data,
            controls=controls.with_codes(task.features),
            turned_signs=settings.turned_signs,
            snapshots=training.as_of,
            **common,
        )
        return Fit(card, out_of_fold, attempts, fit_notes)

    def files(self, fitted: Scorecard) -> dict[str, bytes]:
        return {self.file: canonical(fitted.as_json())}

    def read(self, files: Mapping[str, bytes]) -> Scorecard:
        card_json = parsed(files[self.file], self.file)
        tabled = [table.feature for table in shaped(Card, card_json, self.file).features]
        if len(set(tabled)) < len(tabled):
            raise Unreadable(self.file, "a feature has two tables")
        return Scorecard.from_json(card_json)

    def textual(self, fitted: Scorecard) -> dict[str, bool]:
        bins = [table.bins for table in fitted.tables]
        bins += [side for pair in fitted.pairs for side in (pair.first, pair.second)]
        return {of_feature.name: of_feature.levels is not None for of_feature in bins}

    def form(self, fitted: Scorecard) -> str:
        return fitted.form

    def units_per_log_odds(self, fitted: Scorecard) -> float:
        return fitted.scale.factor

    def strengths(self, model: Model) -> list[dict[str, Any]]:
        """The widest range of points first. A feature that only two-way tables know has no bins."""
        card = self.of(model)
        bins = {
            feature_json["feature"]: feature_json["bins"]
            for feature_json in card.as_json()["features"]
        }
        ranges = {
            table.bins.name: (min(table.points) / 100, max(table.points) / 100)
            for table in card.tables
        }
        strengths: list[dict[str, Any]] = []
        for card_feature in card.features:
            least_points, most_points = ranges.get(card_feature, (0.0, 0.0))
            strengths.append(
                {
                    "feature": card_feature,
                    "least": least_points,
                    "most": most_points,
                    "bins": bins.get(card_feature, []),
                }
            )
        return sorted(
            strengths,
            key=lambda feature_json: (
                feature_json["least"] - feature_json["most"],
                feature_json["feature"],
            ),
        )

    def point_tables(self, model: Model) -> PointTables:
        from riskseg.learning.scorecard.summary import feature_bins, pairs

        card = self.of(model)
        return PointTables(
            tuple(feature_bins(card, _codes(model))), tuple(pairs(card)), card.base / 100
        )

    def points_json(self, fitted: Scorecard) -> dict[str, Any]:
        return fitted.as_json()

    def edges(self, model: Model) -> Mapping[str, Edges]:
        from riskseg.learning.scorecard import exports

        return exports.edges(self.of(model))

    def sql_stages(self, model: Model) -> SqlStages:
        from riskseg.learning.scorecard import exports

        return exports.sql_stages(self.of(model), model.facts)

    def onnx_outputs(self, graph: Graph, model: Model) -> dict[str, str]:
        from riskseg.learning.scorecard import exports

        return exports.onnx_outputs(graph, self.of(model), model.facts)

    def points_rows(self, model: Model) -> Iterator[dict[str, Any]]:
        from riskseg.learning.scorecard import exports

        return exports.points_rows(self.of(model))


def _codes(model: Model) -> dict[str, list[float]]:
    """The numbers of each feature that its scorecard sets apart as codes: those declared, and those
    that an edit by hand names. A card made elsewhere has the bins that it came with."""
    if model.manifest.form == "imported":
        return {}
    edits = model.manifest.spec.settings("scorecard").get("edits", {})
    return {
        fact.name: sorted({*fact.special_values, *edits.get(fact.name, {}).get("specials", ())})
        for fact in model.facts
    }
