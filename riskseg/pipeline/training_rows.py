"""What a model learns from and is judged by: accounts as of their dates, and how they came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from riskseg.domain.facts import Fact, folded
from riskseg.domain.problems import Problems
from riskseg.domain.relations import SINCE_BILL, quoted
from riskseg.domain.words import first_few
from riskseg.features.catalogue import without
from riskseg.learning.frame import CYCLE_DAY, TrainingFrame
from riskseg.learning.spec import HELD_SHARE, AuthoredSpec, ModelSpec
from riskseg.learning.timeline import Timeline
from riskseg.pipeline.frames import framed, learnable, model_columns
from riskseg.pipeline.labelled_rows import KEYS, Drawn, labelled, observe
from riskseg.pipeline.labelling import WantedRows, outcome_sql, zero_or_one
from riskseg.pipeline.models import check_spec, scorer
from riskseg.pipeline.observation_points import Asked, asked
from riskseg.pipeline.outcomes import check_not_yet_known, check_strays
from riskseg.pipeline.session import Session
from riskseg.pipeline.stages import Job, Stage

if TYPE_CHECKING:
    from riskseg.learning.artefact import Model

OBSERVE = Stage("observe", "facts of each account as of its own dates")
LABEL = Stage("label", "how it came out, as known on the day the label is known")


def candidates(session: Session, spec: ModelSpec) -> tuple[Fact, ...]:
    """The facts a model may learn from.

    What is known only as of today carries the outcome back into the past, so it is left out
    unless the spec lists it; where there is nothing but an account file, it is all there is.
    """
    # Rules may name what is recorded in time; of what nothing is recorded yet, nothing is learned.
    available = without(session.catalogue, session.ledger.learns_from).available()
    pool = {candidate_name: feature.fact for candidate_name, feature in available.items()}
    pool |= {
        candidate_name: session.facts[candidate_name]
        for candidate_name in session.ledger.attributes
    }
    if not session.ledger.billed:
        pool = {pool_name: replace(fact, static=False) for pool_name, fact in pool.items()}
    return tuple(
        fact
        for pool_name, fact in pool.items()
        if learnable(fact)
        and pool_name not in {spec.target.column, *session.ledger.outcomes}
        and (not fact.static or pool_name in spec.features.static)
    )


def check_settings(session: Session, authored: AuthoredSpec, problems: Problems) -> None:
    """Add Problems for what the settings of a spec's learners say of single features."""
    from riskseg.learning.train import check_features

    features = candidates(session, authored.spec)
    check_features(authored, features, problems, others=session.facts)


def columns_since(session: Session, model: Model) -> list[str]:
    """What could be learned from now and could not when a model was trained, and the other way
    round, as sentences. What the model reads is there, or it could not score; what its spec
    excluded, it was never to learn from. One that was imported learned from nothing."""
    if model.imported:
        return []
    known_columns = {folded(fact.name) for fact in model.manifest.features}
    known_columns |= set(map(folded, model.manifest.dropped))
    now = {fact.name for fact in candidates(session, model.manifest.spec.asked)}
    messages = []
    if new_columns := sorted(now - known_columns):
        messages.append(f"new since training, and not used: {first_few(tuple(new_columns))}")
    excluded = set(map(folded, model.manifest.spec.asked.features.exclude))
    if gone := sorted(known_columns - now - set(session.facts) - excluded):
        messages.append(f"gone since training, and not used: {first_few(tuple(gone))}")
    return messages


def attributes(session: Session, spec: ModelSpec) -> tuple[Fact, ...]:
    """The facts a model is judged by, or should not stand in for: those the spec names, and what
    the catalogue says is protected."""
    protected = [fact_name for fact_name, fact in session.facts.items() if fact.protected]
    attribute_names = dict.fromkeys((*spec.fairness.by, *spec.fairness.protected, *protected))
    return tuple(
        replace(fact, protected=fact.protected or attribute_name in spec.fairness.protected)
        for attribute_name in attribute_names
        if learnable(fact := session.facts[attribute_name])
    )


def to_judge(session: Session, authored: AuthoredSpec, models: Sequence[Model]) -> Asked:
    """What a spec asks of this workspace, with every feature of some trained versions: to be
    observed and labelled without an embargo, which has no meaning for what was learned long ago.
    Raises RS409 where this workspace lacks a feature."""
    problems = Problems()
    condition = check_spec(authored, session.facts, session.catalogue.lacking, problems)
    problems.raise_if_any()
    for model in models:
        scorer(model, session.facts, billed=session.ledger.billed)
    also = tuple(judged_feature for model in models for judged_feature in model.features)
    judged = asked(session, authored, condition, problems, also)
    problems.raise_if_any()
    assert judged is not None
    return judged


class JudgingJob(Job):
    """A job that judges trained versions of a model by the accounts of a workspace."""

    session: Session
    authored: AuthoredSpec
    models: Sequence[Model]

    def observe(self) -> None:
        self.judged = to_judge(self.session, self.authored, self.models)
        self.wanted = wanted_rows(self.session, self.judged)
        [self.observed] = observe(self.session, [self.wanted], self.session.partitions())

    def label(self) -> None:
        drawn = labelled(self.session, self.wanted, self.observed)
        self.frame = training_frame(self.session, self.judged, drawn, embargo=False)


def _columns(session: Session, request: Asked) -> list[str]:
    """The facts that a model's rows hold."""
    spec = request.authored.spec
    own = (*candidates(session, spec), *attributes(session, spec))
    return list(dict.fromkeys([*(fact.name for fact in own), *request.also]))


def _wanted(session: Session, request: Asked) -> set[str]:
    """Those, and what its population and its outcome are worked out from."""
    named = request.condition.names if request.condition else frozenset()
    target = request.authored.spec.target.column
    return {*_columns(session, request), *named, *((target,) if target else ())}


def wanted_rows(session: Session, request: Asked) -> WantedRows:
    """What rows a model asks for in this workspace."""
    spec, facts = request.authored.spec, session.facts
    columns = [model_columns(_columns(session, request), facts)]
    if session.ledger.billed:
        columns.append(f"cast(f.{SINCE_BILL} as double) as {quoted(CYCLE_DAY)}")
    return WantedRows(
        request.look,
        request.days,
        names=frozenset(folded(name) for name in _wanted(session, request)),
        columns=", ".join(filter(None, columns)),
        condition=request.condition,
        target=spec.target,
        outcome=outcome_sql(facts, spec.target),
        zero_or_one=zero_or_one(facts, spec.target),
        most=(spec.sample.goods, spec.sample.bads),
        seed=spec.seed,
    )


def training_frame(
    session: Session, request: Asked, drawn: Drawn, *, embargo: bool = True
) -> TrainingFrame:
    """Rows that were drawn for a model, as arrays; each stands for as many as were not. Without the
    embargo the dates between training and hold-out are there too."""
    spec, ledger = request.authored.spec, session.ledger
    problems = Problems()
    check_strays(request.authored, drawn.strays, problems)
    problems.raise_if_any()
    keys, rows = framed(pa.concat_tables(drawn.rows), keys=len(KEYS))
    drawn.rows.clear()
    as_of = keys["as_of"].to_numpy().astype("datetime64[D]")
    if spec.target.column is not None and not ledger.billed and not ledger.observed:
        as_of[:] = np.datetime64("NaT")  # an account file is of no day in particular
    labels = keys["label"].to_numpy().astype(np.int8)
    party_of_row = keys["party"].to_numpy()
    totals = np.asarray(drawn.totals, dtype=np.float64)
    weight = (totals / np.maximum(1, np.bincount(labels, minlength=2)))[labels]
    if request.look.at == "observed":
        check_not_yet_known(request.authored, as_of, labels, weight)
    is_used, is_held_out = _held_out(spec, request.window, as_of, party_of_row)
    training = TrainingFrame(
        rows,
        candidates(session, spec),
        labels,
        keys["account"].to_numpy(),
        party_of_row,
        as_of,
        is_held_out,
        weight,
        attributes(session, spec),
    )
    return training.where(is_used) if embargo and not is_used.all() else training


def _held_out(spec: ModelSpec, window: Timeline | None, as_of: Any, group: Any) -> tuple[Any, Any]:
    """Masks: what is used at all (the embargo is not), and what validates."""
    from riskseg.learning.split import held_out_by_date, held_out_by_party

    if spec.hold_out_days is None or window is None:
        held = held_out_by_party(group, spec.hold_out_share or HELD_SHARE, spec.seed)
        return np.ones(len(as_of), dtype=bool), held
    return held_out_by_date(as_of, window)
