"""The learner of boosted trees: LightGBM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from riskseg.domain.documents import Shape
from riskseg.domain.facts import Fact
from riskseg.learning.canonical import canonical
from riskseg.learning.learner import Edges, Fit, Learner, SqlStages, Task
from riskseg.learning.stored import Sign, Stored, Unreadable, parsed, shaped

if TYPE_CHECKING:
    from riskseg.learning.artefact import Model
    from riskseg.learning.export.onnx_graph import Graph
    from riskseg.learning.trees.boosted import Boosted

TEXT = "booster.txt"


class LightGBMSettings(Shape):
    """How far the settings of the trees are searched: `none` takes the first that a search would
    try, in a fraction of the time, and gives a little away."""

    search: Literal["full", "none"] = "full"


class ColumnHeld(Stored):
    feature: str
    levels: list[str] | None
    fill: float | None
    gain: float
    direction: Sign = 0
    special_values: list[float] = Field(default_factory=list)


class Trees(Stored):
    """booster.json"""

    columns: list[ColumnHeld]
    dropped: dict[str, str] = Field(default_factory=dict)
    notes: list[str] = Field(default_factory=list)


class LightGBMLearner(Learner["Boosted", LightGBMSettings]):
    name = "lightgbm"
    title = "LightGBM"
    settings = LightGBMSettings
    settings_help: ClassVar[Mapping[str, str]] = {
        "search": "`full`, or `none`: the first settings a search would try, with every feature, "
        "in a fraction of the time"
    }
    file = "booster.json"
    sum_of = "trees"

    def steps(self, settings: LightGBMSettings) -> int:
        return 5 if settings.search == "full" else 2

    def fit(self, settings: LightGBMSettings, task: Task) -> Fit[Boosted]:
        from riskseg.learning.trees.boosted_fit import fit_boosted

        training = task.training
        return Fit(
            *fit_boosted(
                training.rows,
                training.label,
                training.weight,
                task.features,
                task.folds,
                searching=settings.search == "full",
                party=task.party,
                seed=task.seed,
                threads=task.threads,
                say=task.say,
            )
        )

    def files(self, fitted: Boosted) -> dict[str, bytes]:
        return {TEXT: fitted.text.encode(), self.file: canonical(fitted.as_json())}

    def read(self, files: Mapping[str, bytes]) -> Boosted:
        from riskseg.learning.trees.boosted import Boosted

        trees_json = parsed(files[self.file], self.file)
        feature_names = [column.feature for column in shaped(Trees, trees_json, self.file).columns]
        if len(set(feature_names)) < len(feature_names):
            raise Unreadable(self.file, "a feature has two columns")
        return Boosted.from_json(trees_json, files[TEXT].decode())

    def textual(self, fitted: Boosted) -> dict[str, bool]:
        return {column.name: column.levels is not None for column in fitted.columns}

    def directions(self, fitted: Boosted, features: Sequence[Fact]) -> Mapping[str, int]:
        """Those that the trees are held to: the data may have refused a declared one."""
        return fitted.directions

    def strengths(self, model: Model) -> list[dict[str, Any]]:
        """The features that gained the trees most first."""
        trees = self.of(model)
        ranked = sorted(trees.columns, key=lambda column: (-column.gain, column.name))
        return [{"feature": column.name, "gain": column.gain} for column in ranked]

    def edges(self, model: Model) -> Mapping[str, Edges]:
        from riskseg.learning.trees import exports

        return exports.edges(self.of(model))

    def sql_stages(self, model: Model) -> SqlStages:
        from riskseg.learning.trees import exports

        return exports.sql_stages(self.of(model), model.facts)

    def onnx_outputs(self, graph: Graph, model: Model) -> dict[str, str]:
        from riskseg.learning.trees import exports

        return exports.onnx_outputs(graph, self.of(model), model.facts)
