"""What a model learns from and is judged by: accounts as of their dates, and how they came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from riskseg.domain.facts import Fact, folded
from riskseg.domain.problems import Problems
from riskseg.domain.relations import SINCE_BILL, Relation, fact_column, literal, quoted
from riskseg.domain.words import first_few
from riskseg.features.catalogue import without
from riskseg.learning.frame import CYCLE_DAY, TrainingFrame
from riskseg.learning.spec import HELD_SHARE, AuthoredSpec, ModelSpec
from riskseg.learning.timeline import Timeline
from riskseg.ledger.settled import settled_bills
from riskseg.pipeline.contracts import build
from riskseg.pipeline.facts import facts as facts_relations
from riskseg.pipeline.frames import keyed_frame, learnable, model_columns
from riskseg.pipeline.labelling import make_labels, outcome_sql
from riskseg.pipeline.models import check_spec, scorer
from riskseg.pipeline.observation_points import Asked, Look, asked
from riskseg.pipeline.outcomes import check_not_yet_known
from riskseg.pipeline.session import Session
from riskseg.pipeline.stages import Job, Stage

if TYPE_CHECKING:
    import pandas as pd

    from riskseg.learning.artefact import Model

    # Whose each row is, of when, how it came out and its place; and its facts apart from those.
    Part = tuple[pd.DataFrame, pd.DataFrame]


OBSERVE = Stage("observe", "facts of each account as of its own dates")
LABEL = Stage("label", "how it came out, as known on the day the label is known")

# Snapshots times bills and payments that one part holds at most: about 500 MB in the engine.
PAIRS_A_PART = 12_000_000
# Places a row may have in the draw of a sample: 32 bits of an md5.
PLACES = 2**32


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
    round, as sentences. What the model reads is there, or it could not score. One that was
    imported learned from nothing."""
    if model.imported:
        return []
    known_columns = {folded(fact.name) for fact in model.manifest.features}
    known_columns |= set(map(folded, model.manifest.dropped))
    now = {fact.name for fact in candidates(session, model.manifest.spec.asked)}
    messages = []
    if new_columns := sorted(now - known_columns):
        messages.append(f"new since training, and not used: {first_few(tuple(new_columns))}")
    if gone := sorted(known_columns - now - set(session.facts)):
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


@dataclass(frozen=True, slots=True)
class Observed:
    """A table of the scratch with the facts of snapshots, and the ranges of accounts that are
    few enough to be looked at in one pass."""

    table: str
    parts: Sequence[tuple[int, int]]


def observe(session: Session, models: Sequence[Asked]) -> list[Observed]:
    """Work out the facts that each of the models learns from: once for those that look alike.

    A fact is of its account and day, whatever other days are looked at, so a model finds what it
    would find alone.
    """
    ledger = session.ledger
    looks: dict[Look, list[Asked]] = {}
    for request in models:
        looks.setdefault(request.look, []).append(request)
    if any(look.repeats for look in looks):
        build(session.engine, settled_bills(ledger.money))
    table_by_look = {
        look: _observed(session, f"observed_{look_number}", look, alike)
        for look_number, (look, alike) in enumerate(looks.items())
    }
    return [table_by_look[request.look] for request in models]


def _observed(session: Session, table: str, look: Look, models: Sequence[Asked]) -> Observed:
    """Fill the table with what all of the models want of each account, on the days of any."""
    engine = session.engine
    wanted_columns = {
        folded(wanted_column) for request in models for wanted_column in _wanted(session, request)
    }
    bill_order = session.ledger.money.bill_order("focus_bill")
    snapshots = look.snapshots([request.days for request in models if request.days], bill_order)
    build(engine, [replace(snapshots, name="every_snapshot")])
    account_ranges = _parts(session)
    for first, last in account_ranges:
        snapshots_of_part = f"""
        select *
        from every_snapshot
        where account_no between {first} and {last}
        """
        relations = facts_relations(
            session.ledger,
            session.catalogue,
            session.scale,
            wanted_columns,
            Relation("snapshots", snapshots_of_part, materialized=True),
            focus=look.at == "issue",
            shared=look.repeats,
        )
        build(engine, relations)
        into = f"insert into {table}" if first > 1 else f"create or replace table {table} as"
        engine.run(
            f"""
            {into}
            select * from facts
            """
        )
    return Observed(table, account_ranges)


class JudgingJob(Job):
    """A job that judges trained versions of a model by the accounts of a workspace."""

    session: Session
    authored: AuthoredSpec
    models: Sequence[Model]

    def observe(self) -> None:
        self.judged = to_judge(self.session, self.authored, self.models)
        [self.observed] = observe(self.session, [self.judged])

    def label(self) -> None:
        self.frame = observed_rows(self.session, self.judged, self.observed, embargo=False)


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


def observed_rows(
    session: Session, request: Asked, observed: Observed, *, embargo: bool = True
) -> TrainingFrame:
    """Snapshots of the model's population, their facts and their labels, as arrays.

    With more good or more bad outcomes than the spec's sample takes, they are drawn by a hash of
    account and date, and each stands for as many as were not. Without the embargo the dates
    between training and hold-out are there too.
    """
    import pandas as pd

    spec, engine, ledger = request.authored.spec, session.engine, session.ledger
    column_groups = [model_columns(_columns(session, request), session.facts)]
    if ledger.billed:
        column_groups.append(f"cast(f.{SINCE_BILL} as double) as {quoted(CYCLE_DAY)}")
    row_columns = ", ".join(filter(None, column_groups))
    position, outcome = _place(spec.seed), outcome_sql(session, request, observed.table)
    row_parts: list[Part] = []
    sample = spec.sample
    # Of good outcomes, and of bad ones.
    most_of_outcome, place_limits, total_of_outcome = (
        (sample.goods, sample.bads),
        (PLACES, PLACES),
        np.zeros(2),
    )
    for accounts in observed.parts:
        make_labels(session, request, observed.table, accounts, outcome)
        total_of_outcome += engine.rows(
            "select count(*) filter (where label = 0), count(*) filter (where label = 1) "
            "from labels"
        )[0]
        row_part = keyed_frame(engine, _labelled_rows(row_columns, position, place_limits), keys=5)
        row_parts, place_limits = _thinned([*row_parts, row_part], most_of_outcome, place_limits)
    keys, rows = (pd.concat(frames, ignore_index=True) for frames in zip(*row_parts, strict=True))
    row_parts.clear()
    as_of = keys["as_of"].to_numpy().astype("datetime64[D]")
    if spec.target.column is not None and not ledger.billed and not ledger.observed:
        as_of[:] = np.datetime64("NaT")  # an account file is of no day in particular
    labels = keys["label"].to_numpy().astype(np.int8)
    party_of_row = keys["party"].to_numpy()
    weight = (total_of_outcome / np.maximum(1, np.bincount(labels, minlength=2)))[labels]
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


def _labelled_rows(columns: str, position: str, below: tuple[int, int]) -> str:
    """Whose each labelled row is, its label, its place in the draw and its facts, in order: those
    with good and with bad outcomes at places below `below`."""
    select_list = ",\n            ".join(filter(None, (f"{position} as place", columns)))
    return f"""
        select i.account_id as account,
            f.{fact_column("party_id")} as party,
            f.as_of,
            l.label,
            {select_list}
        from observed_facts f
        join labels l on l.snap = f.snap
        join account_ids i on i.account_no = f.account_no
        where {position} < case l.label when 0 then {below[0]} else {below[1]} end
        order by i.account_id, f.snap
        """


def _place(seed: int) -> str:
    """SQL for a number below PLACES that an account and date always have, and no others' know."""
    digits = f"substr(md5(i.account_id || '/' || f.as_of || {literal(f'/sample/{seed}')}), 1, 8)"
    return f"cast('0x' || {digits} as bigint)"


def _thinned(
    parts: list[Part], most: tuple[int, int], below: tuple[int, int]
) -> tuple[list[Part], tuple[int, int]]:
    """The parts with no more than `most` rows of each outcome, those of the lowest places; and the
    places that later parts' rows must be below."""
    places = np.concatenate([keys["place"].to_numpy() for keys, _ in parts])
    labels = np.concatenate([keys["label"].to_numpy() for keys, _ in parts])
    new_limits = list(below)
    for label in (0, 1):
        of_label = places[labels == label]
        if len(of_label) > most[label]:
            new_limits[label] = int(np.partition(of_label, most[label])[most[label]])
    if tuple(new_limits) == below:
        return parts, below
    limit = np.asarray(new_limits)
    chosen_rows = [keys["place"].to_numpy() < limit[keys["label"].to_numpy()] for keys, _ in parts]
    thinned_parts = [
        (part_keys[which], part_rows[which])
        for (part_keys, part_rows), which in zip(parts, chosen_rows, strict=True)
    ]
    return thinned_parts, (new_limits[0], new_limits[1])


def _parts(session: Session) -> list[tuple[int, int]]:
    """Ranges of accounts whose snapshots, times the bills and payments of each, are few enough to
    be looked at in one pass. An account is never divided."""
    ranges = session.partitions()
    if not session.ledger.billed:
        return ranges
    range_ends = session.engine.rows(
        f"""
        with snapshots_by_account as (
            select account_no, count(*) as snapshots
            from every_snapshot
            group by account_no
        ),
        money_by_account as (
            select account_no, count(*) as bills_and_payments
            from (
                select account_no from ledger_bills
                union all
                select account_no from ledger_payments
            )
            group by account_no
        ),
        parts as (
            select account_no,
                floor(
                    sum(snapshots * bills_and_payments) over (order by account_no) / {PAIRS_A_PART}
                ) as part
            from snapshots_by_account
            join money_by_account using (account_no)
        )
        select max(account_no)
        from parts
        group by part
        """
    )
    cuts = sorted({last for _, last in ranges} | {range_end for (range_end,) in range_ends})
    return list(zip([1, *(cut + 1 for cut in cuts)], cuts, strict=False))


def _held_out(spec: ModelSpec, window: Timeline | None, as_of: Any, group: Any) -> tuple[Any, Any]:
    """Masks: what is used at all (the embargo is not), and what validates."""
    from riskseg.learning.split import held_out_by_date, held_out_by_party

    if spec.hold_out_days is None or window is None:
        held = held_out_by_party(group, spec.hold_out_share or HELD_SHARE, spec.seed)
        return np.ones(len(as_of), dtype=bool), held
    return held_out_by_date(as_of, window)
