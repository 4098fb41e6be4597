"""Whether accounts still are as those that models were trained on, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from riskseg.domain.facts import folded
from riskseg.domain.relations import fact_column, literal
from riskseg.insight.insight import Insight
from riskseg.insight.portfolio import Portfolio, probability_of
from riskseg.pipeline.feature_kinds import feature_columns
from riskseg.pipeline.frames import keyed_frame
from riskseg.results.insights.drift import Drifts, FactKnown, FeatureDrift, ScoreDrift
from riskseg.results.units import share_of

if TYPE_CHECKING:
    from riskseg.learning.artefact import Model
    from riskseg.learning.drift import Measured


class DriftOfModels(Insight[Portfolio, Drifts]):
    """The PSI of each model's probabilities on each day, and that of each of its features on the
    as-of date, as runs of `score` and `assign` measure them: against what training looked like at
    the same points of the billing cycle. Days on which another version of the model was used are
    left out."""

    name = "drift"
    question = "Are accounts still like those that the models were trained on?"
    about = Portfolio
    needs = ("profiled", "cycle_days")

    def answer(self, subject: Portfolio) -> Drifts:
        scores, features, other = [], [], 0
        for name, model in subject.models.items():
            days = _days_of(subject, model)
            other = max(other, len(subject.days) - len(days))
            for day in days:
                accounts, measured = _measured(subject, name, model, day)
                for one in measured:
                    if one.feature:
                        features.append(_feature(subject, name, one))
                    else:
                        scores.append(_score(subject, name, model, day, accounts, one))
        names = {row.model for row in scores}
        return Drifts(
            scores=tuple(scores),
            features=tuple(sorted(features, key=lambda row: (row.model, -row.csi, row.feature))),
            facts=tuple(_facts(subject)),
            unmeasured=tuple(name for name in subject.models if name not in names),
            other_versions=other,
        )


DRIFTS = DriftOfModels()


def _days_of(subject: Portfolio, model: Model) -> list[date]:
    """The days whose probabilities this version gave."""
    version = literal(f"{model.name}={model.version}")
    return [
        day
        for (day,) in subject.engine.rows(f"""
            select distinct day
            from decided_days
            where list_contains(string_split(model_versions, ';'), {version})
            order by day
        """)
    ]


def _measured(
    subject: Portfolio, name: str, model: Model, day: date
) -> tuple[int, tuple[Measured, ...]]:
    """The accounts that were scored on a day, and how they differ from training: their features
    too on the as-of date, of which alone these are known here."""
    facts = [fact for fact in model.facts if folded(fact.name) in subject.facts]
    features = feature_columns(facts, subject.facts) if day == subject.as_of and facts else ""
    joined = "join profiled f on f.account_id = d.account_id" if features else ""
    keys, rows = keyed_frame(
        subject.engine,
        f"""
        select cast(c.since_bill as double) as day, d.{probability_of(name)} as probability
            {f", {features}" if features else ""}
        from decided_days d
        join cycle_days c on c.account_id = d.account_id and c.day = d.day
        {joined}
        where d.day = date '{day}' and d.{probability_of(name)} is not null
        order by d.account_id
        """,
        keys=2,
    )
    if not len(keys):
        return 0, ()
    watch = model.watch([fact.name for fact in facts] if features else [])
    watch.see(rows, keys["probability"].to_numpy(), keys["day"])
    return len(keys), watch.measured()


def _score(
    subject: Portfolio, name: str, model: Model, day: date, accounts: int, measured: Measured
) -> ScoreDrift:
    return ScoreDrift(
        model=name,
        version=model.version,
        day=day,
        accounts=accounts,
        psi=subject.figure(measured.psi),
        by_chance=subject.figure(measured.by_chance),
        differs=measured.differs,
    )


def _feature(subject: Portfolio, name: str, measured: Measured) -> FeatureDrift:
    return FeatureDrift(
        model=name,
        feature=measured.feature,
        csi=subject.figure(measured.psi),
        by_chance=subject.figure(measured.by_chance),
        differs=measured.differs,
        unknown=subject.figure(measured.unknown),
        unknown_in_training=subject.figure(measured.unknown_in_training),
    )


def _facts(subject: Portfolio) -> Iterator[FactKnown]:
    """The facts read by the strategy or its models that are not known of every account."""
    strategy = subject.strategy
    read_by = {name: ["strategy"] for name in strategy.facts}
    for key, model in subject.models.items():
        for feature in model.features:
            read_by.setdefault(folded(feature), []).append(key)
    there = [name for name in read_by if name in subject.facts]
    counts = ", ".join(["count(*)", *(f"count({fact_column(name)})" for name in there)])
    (whole, *known) = subject.engine.rows(f"select {counts} from profiled")[0]
    for name, count in zip(there, known, strict=True):
        if count < whole:
            yield FactKnown(
                fact=name,
                read_by=", ".join(read_by[name]),
                unknown=share_of(whole - count, whole),
                default_value=None,
            )
    for name, value in strategy.default_values.items():
        yield FactKnown(
            fact=name,
            read_by=", ".join(read_by.get(name, ["strategy"])),
            unknown=None,
            default_value="unknown" if value is None else str(value).lower(),
        )
