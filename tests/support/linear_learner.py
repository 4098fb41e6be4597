"""A learner from outside: one logistic regression on the numbers as they are, nulls at the mean.

It is the worked example of how a learner is added: this file and one call of `register`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import numpy as np
import pandas as pd
from pydantic import Field

from riskseg.domain.documents import Shape
from riskseg.domain.facts import Fact
from riskseg.domain.problems import Problems, did_you_mean
from riskseg.learning.artefact import Model
from riskseg.learning.canonical import canonical
from riskseg.learning.coded import CodedByValue
from riskseg.learning.evidence.metrics import log_loss
from riskseg.learning.export.sql import sql_input, sql_inputs, sql_number
from riskseg.learning.learner import Edges, FeatureName, Fit, Learner, SqlStages, Task
from riskseg.learning.spec import AuthoredSpec
from riskseg.learning.stored import Fitted, Stored, shaped
from riskseg.learning.stored import parsed as read_json


class LinearSettings(Shape):
    """What a spec may say under `linear`: how strongly the weights are held to 0, and features
    that have no weight."""

    penalty: Annotated[float, Field(gt=0)] = 1.0
    without: Annotated[tuple[FeatureName, ...], Field(strict=False)] = ()


class Term(Stored):
    """A feature of linear.json: `weight` is for each `spread` that the value is above `mean`."""

    feature: str
    mean: Fitted
    spread: Annotated[float, Field(gt=0)]
    weight: Fitted


class LinearFile(Stored):
    """linear.json"""

    intercept: Fitted
    terms: list[Term]
    dropped: dict[str, str]


@dataclass(frozen=True)
class LinearModel(CodedByValue):
    intercept: float
    terms: tuple[Term, ...]
    dropped: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(term.feature for term in self.terms)

    def contributions(self, batch: pd.DataFrame, threads: int = 1) -> np.ndarray:
        columns = []
        for term in self.terms:
            values = batch[term.feature].to_numpy(dtype=np.float64, na_value=np.nan)
            values = np.where(np.isnan(values), term.mean, values)
            columns.append((values - term.mean) / term.spread * term.weight)
        return np.column_stack([np.zeros((len(batch), 0)), *columns])

    def margin(self, batch: pd.DataFrame, threads: int = 1) -> np.ndarray:
        margin = np.full(len(batch), self.intercept)
        for column in self.contributions(batch).T:  # one after the other, as in SQL
            margin = margin + column
        return margin


class LinearLearner(Learner[LinearModel, LinearSettings]):
    name = "linear"
    title = "linear model"
    settings = LinearSettings
    settings_help: ClassVar[Mapping[str, str]] = {
        "penalty": "how strongly the weights are held to 0",
        "without": "features that have no weight",
    }
    file = "linear.json"

    def check_features(
        self,
        authored: AuthoredSpec,
        settings: LinearSettings,
        features: Sequence[Fact],
        problems: Problems,
        *,
        dropped: Collection[str] = (),
        others: Collection[str] = (),
    ) -> None:
        names = [fact.name for fact in features]
        for index, name in enumerate(settings.without):
            if name not in names:
                line = authored.line("linear", "without", index)
                what, hint = f'"{name}" is not a feature here.', did_you_mean(name, names)
                problems.add("RS501", what, file=authored.file, line=line, hint=hint)

    def fit(self, settings: LinearSettings, task: Task) -> Fit[LinearModel]:
        task.say("fitting one regression per fold, and one to all rows")
        training = task.training
        out_of_fold = np.zeros(len(training))
        for fold in np.unique(task.folds):
            held = task.folds == fold
            model = self._fit(settings, task, ~held)
            out_of_fold[held] = model.margin(training.rows[held])
        probability = 1 / (1 + np.exp(-out_of_fold))
        loss = log_loss(training.label, probability, training.weight)
        tried = {"what": f"a penalty of {settings.penalty:g}", "log_loss": loss, "chosen": True}
        whole = self._fit(settings, task, np.ones(len(training), dtype=bool))
        return Fit(whole, out_of_fold, [tried])

    def _fit(self, settings: LinearSettings, task: Task, chosen: np.ndarray) -> LinearModel:
        """Newton's steps on the penalized log-likelihood, a fixed number of them."""
        training, terms, columns, dropped = task.training, [], [], {}
        for fact in task.features:
            if fact.kind.is_textual or fact.name in settings.without:
                text = fact.kind.is_textual
                dropped[fact.name] = "a text has no weight" if text else "left out by the spec"
                continue
            values = training.rows[fact.name].to_numpy(dtype=np.float64, na_value=np.nan)[chosen]
            mean = float(np.nanmean(values))
            values = np.where(np.isnan(values), mean, values)
            spread = float(values.std()) or 1.0
            columns.append((values - mean) / spread)
            terms.append(Term(feature=fact.name, mean=mean, spread=spread, weight=0.0))
        x = np.column_stack([np.ones(int(chosen.sum())), *columns])
        label, weight = training.label[chosen], training.weight[chosen]
        penalty = np.diag([1e-6] + [settings.penalty] * len(terms))
        weights = np.zeros(x.shape[1])
        for _ in range(12):
            probability = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
            gradient = x.T @ (weight * (label - probability)) - penalty @ weights
            curvature = (x * (weight * probability * (1 - probability))[:, None]).T @ x + penalty
            weights = weights + np.linalg.solve(curvature, gradient)
        weights = np.round(weights, 9)  # the last digits depend on the machine's arithmetic
        fitted = (
            term.model_copy(update={"weight": float(one)})
            for term, one in zip(terms, weights[1:], strict=True)
        )
        return LinearModel(float(weights[0]), tuple(fitted), dropped)

    def files(self, fitted: LinearModel) -> dict[str, bytes]:
        content = LinearFile(
            intercept=fitted.intercept, terms=list(fitted.terms), dropped=dict(fitted.dropped)
        )
        return {self.file: canonical(json.loads(content.model_dump_json()))}

    def read(self, files: Mapping[str, bytes]) -> LinearModel:
        content = shaped(LinearFile, read_json(files[self.file], self.file), self.file)
        return LinearModel(content.intercept, tuple(content.terms), content.dropped)

    def textual(self, fitted: LinearModel) -> dict[str, bool]:
        return dict.fromkeys(fitted.features, False)

    def edges(self, model: Model) -> dict[str, Edges]:
        return {t.feature: Edges(frozenset({t.mean})) for t in self.of(model).terms}

    def sql_stages(self, model: Model) -> SqlStages:
        fitted = self.of(model)
        terms = [
            f"(coalesce(x{n}, {sql_number(term.mean)}) - {sql_number(term.mean)}) "
            f"/ {sql_number(term.spread)} * {sql_number(term.weight)}"
            for n, term in enumerate(fitted.terms)
        ]
        margin = " + ".join([sql_number(fitted.intercept), *terms])
        return SqlStages(
            (
                ("riskseg_inputs", sql_inputs(sql_input(fact) for fact in model.facts)),
                ("riskseg_margins", f"select account_id, {margin} as margin from {{}}"),
            )
        )
