"""What a learner is: one object that is named in a spec, fits a model, writes and reads the model's
files, and says what the model offers.

A learner is added by one file with a subclass of :class:`Learner` and one call of
:func:`riskseg.learning.learners.register`. Everything else asks the object. What has a default
here need not be offered: a model without SQL is not exported to SQL, one without tables of points
has none in its card, and the strength of its features is measured by asking the model.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, Protocol, TypeVar, cast

from pydantic import AfterValidator, StrictStr

from riskseg.domain.documents import Shape
from riskseg.domain.facts import Fact, folded
from riskseg.domain.problems import Problems, ProblemsError, problem

if TYPE_CHECKING:
    import pandas as pd

    from riskseg.learning.artefact import Model
    from riskseg.learning.export.onnx_graph import Graph
    from riskseg.learning.frame import Coded, Floats, Folds, TrainingFrame
    from riskseg.learning.parties import Parties
    from riskseg.learning.spec import AuthoredSpec
    from riskseg.results.scorecard import BinnedFeature, FeaturePair


# The name of a feature or attribute in a spec, in any letter case.
FeatureName = Annotated[StrictStr, AfterValidator(folded)]


class FittedModel(Protocol):
    """What a learner makes. Batches are data frames as in :class:`TrainingFrame`.

    `dropped` says why a feature on offer is not one of `features`; `notes` are for whoever reads
    the model.
    """

    @property
    def features(self) -> tuple[str, ...]: ...

    @property
    def dropped(self) -> Mapping[str, str]: ...

    @property
    def notes(self) -> tuple[str, ...]: ...

    def margin(self, batch: pd.DataFrame, threads: int = 1) -> Floats:
        """Log-odds of the bad outcome of each row. A row's margin depends on the row alone."""
        ...

    def coded(self, batch: pd.DataFrame) -> Coded:
        """All that the margins of a batch depend on, feature by feature: whoever tries one value
        after another codes the rest once."""
        ...

    def coded_margin(self, coded: Coded) -> Floats:
        """The margin of each coded row, to about 1e-12."""
        ...

    def contributions(self, batch: pd.DataFrame, threads: int = 1) -> Floats:
        """How much each feature raised each row's risk against the average account: shape
        (rows, features), in the unit of :meth:`Learner.units_per_log_odds`."""
        ...


FittedT = TypeVar("FittedT", bound=FittedModel)
SettingsT = TypeVar("SettingsT", bound=Shape)


@dataclass(frozen=True)
class Task:
    """What a learner learns from: the rows of the training window, the features on offer, and the
    fold of each row. `party` says which columns are of a party rather than an account; `say` is
    called with the name of each step when it begins."""

    training: TrainingFrame
    features: tuple[Fact, ...]
    folds: Folds
    party: Parties | None
    seed: int
    threads: int
    say: Callable[[str], None]


@dataclass(frozen=True)
class Fit(Generic[FittedT]):
    """A model fitted to all rows of a task. `out_of_fold` are the margins of those rows by models
    that did not see them. `tried` is what was tried on the way, for the record: `what`, its mean
    `log_loss` over the folds, and whether it was `chosen`. `notes` are those that the model does
    not have itself."""

    model: FittedT
    out_of_fold: Floats
    tried: Sequence[Mapping[str, Any]]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Edges:
    """Where a feature's effect may change: at these numbers, and between these levels."""

    cuts: frozenset[float] = frozenset()
    levels: frozenset[str] = frozenset()


@dataclass(frozen=True)
class PointTables:
    """The tables of points of a model: by feature, by pair of features, and what all begin with."""

    features: tuple[BinnedFeature, ...]
    pairs: tuple[FeaturePair, ...]
    base: float


@dataclass(frozen=True)
class SqlStages:
    """Named selects, each from the one before it (`{}`; the first from `accounts`). The last has
    account_id and margin, and `score` where the model has one."""

    stages: tuple[tuple[str, str], ...]
    score: bool = False


class Learner(ABC, Generic[FittedT, SettingsT]):
    """A way to learn a model from a training frame."""

    # Its name in `learners` of a spec and in a manifest, and the key of its settings in a spec.
    name: ClassVar[str]
    # What people call it, in the middle of a sentence: "scorecard", "LightGBM".
    title: ClassVar[str]
    # The settings of a spec, with a default for each, and a description of each for the docs.
    settings: type[SettingsT]
    settings_help: ClassVar[Mapping[str, str]] = {}
    # The file of its own that a fault of the model is reported at.
    file: ClassVar[str]
    # What the score of its models is a sum of, for a page that shows no table of points.
    sum_of: ClassVar[str] = "terms"

    # What a spec says

    def check(self, authored: AuthoredSpec, settings: SettingsT, problems: Problems) -> None:
        """Add Problems for settings that contradict each other."""

    def check_features(
        self,
        authored: AuthoredSpec,
        settings: SettingsT,
        features: Sequence[Fact],
        problems: Problems,
        *,
        dropped: Collection[str] = (),
        others: Collection[str] = (),
    ) -> None:
        """Add Problems for features that the settings name. `features` are those on offer, less
        those `dropped` before learning; `others` are names that the workspace knows besides."""

    def without_effect(self, settings: SettingsT, dropped: Mapping[str, str]) -> list[str]:
        """Sentences about settings of features that were dropped before learning."""
        return []

    # Learning

    def steps(self, settings: SettingsT) -> int:
        """About how many steps :meth:`fit` says it has reached."""
        return 1

    @abstractmethod
    def fit(self, settings: SettingsT, task: Task) -> Fit[FittedT]:
        """Fit a model. The same task gives the same model, at any number of threads."""

    # The artefact: text files, whose reading runs none of what they hold

    @abstractmethod
    def files(self, fitted: FittedT) -> dict[str, bytes]:
        """The model's own files by name."""

    @abstractmethod
    def read(self, files: Mapping[str, bytes]) -> FittedT:
        """The model that :meth:`files` wrote. Raises Unreadable for a file that is not one of
        this learner's, KeyError for one that is missing."""

    @abstractmethod
    def textual(self, fitted: FittedT) -> Mapping[str, bool]:
        """Whether the model reads each of its features as text."""

    # What a model is, for people

    def of(self, model: Model) -> FittedT:
        """What this learner made of a model that it learned."""
        return cast(FittedT, model.scorer)

    def form(self, fitted: FittedT) -> str | None:
        """Which of several forms the model has."""
        return None

    def units_per_log_odds(self, fitted: FittedT) -> float:
        """How many units of a contribution make 1 of log-odds."""
        return 1.0

    def directions(self, fitted: FittedT, features: Sequence[Fact]) -> Mapping[str, int]:
        """The direction of risk that the model is held to, by feature: by default, the declared
        one."""
        return {fact.name: fact.direction for fact in features}

    def strengths(self, model: Model) -> list[dict[str, Any]]:
        """The features with how much they matter, the strongest first: by default the least and
        the greatest effect on the log-odds that was measured."""
        spans = []
        for effect in model.evidence.effects:
            margins = [point.margin for point in effect.points]
            spans.append((effect.feature, min(margins), max(margins)))
        return [
            {"feature": ranked_feature, "least": least_points, "most": most_points, "bins": []}
            for ranked_feature, least_points, most_points in sorted(
                spans, key=lambda span: (span[1] - span[2], span[0])
            )
        ]

    def point_tables(self, model: Model) -> PointTables | None:
        """Bins and points as `models bins` shows them; None where the model has none."""
        return None

    def points_json(self, fitted: FittedT) -> dict[str, Any] | None:
        """The table of points of a model's card; None where the model has none."""
        return None

    # Exports

    def edges(self, model: Model) -> Mapping[str, Edges]:
        """By feature, where an export is to be held against the model."""
        return {}

    def sql_stages(self, model: Model) -> SqlStages:
        """The margin as SQL. Raises ProblemsError (RS004) where it is not offered."""
        raise self._not_offered(model, "SQL")

    def onnx_outputs(self, graph: Graph, model: Model) -> dict[str, str]:
        """Adds the model to an ONNX graph; the nodes of its outputs by name, `margin` among them.
        Raises ProblemsError (RS004) where it is not offered."""
        raise self._not_offered(model, "ONNX")

    def points_rows(self, model: Model) -> Iterator[dict[str, Any]]:
        """The lines of a table of points, as :mod:`riskseg.learning.export.points` has them.
        Raises ProblemsError (RS004) where it is not offered."""
        raise self._not_offered(model, "a table of points")

    def _not_offered(self, model: Model, form: str) -> ProblemsError:
        return problem(
            "RS004",
            f"The model {model.name} {model.version} has no export to {form}: it was learned with "
            f"{self.title}.",
            hint="Export it in another form, or train a model with the learner scorecard.",
        )


# A learner of whatever kind: what asks it does not know its models or its settings.
AnyLearner = Learner[Any, Any]
