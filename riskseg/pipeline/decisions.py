"""From facts to decisions: the one way, for `assign`, `explain`, `replay` and whoever compares.

A :class:`Decider` knows all it needs of the workspace; what it decides is the table `facts`, with
`account_ids` beside it, wherever they come from: computed from the sources or kept by a run.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from riskseg.domain.facts import Fact
from riskseg.domain.relations import Relation, literal
from riskseg.engine import Engine
from riskseg.expressions import Expression
from riskseg.features.snapshots import as_of_snapshots
from riskseg.learning.words import Currency
from riskseg.pipeline.account_file import check_features, check_given
from riskseg.pipeline.contracts import build
from riskseg.pipeline.decision_columns import IN_FULL, decided_to_write, decision_select
from riskseg.pipeline.facts import facts
from riskseg.pipeline.invariants import between, hold_against
from riskseg.pipeline.load import Ledger
from riskseg.pipeline.models import Scorer, scorer, unknown_for_all, used_champions
from riskseg.pipeline.overflow import located_overflow
from riskseg.pipeline.scoring import PROBABILITY, explain, score, scored
from riskseg.pipeline.session import LedgerInEngine, Session
from riskseg.pipeline.stages import ForEach, Job, Progress, Stage
from riskseg.pipeline.training_rows import columns_since
from riskseg.results.runs import DriftFigure
from riskseg.rules.elements import NO_ACTION
from riskseg.rules.model import Strategy
from riskseg.rules.sql import out
from riskseg.strategy.compile import compile_strategy
from riskseg.strategy.examples import TYPES
from riskseg.treatment.calendar import calendar_facts
from riskseg.treatment.contact_hours import contact_hours_sql

if TYPE_CHECKING:
    import pyarrow as pa

    from riskseg.learning.artefact import Model
    from riskseg.learning.drift import Watch
    from riskseg.store.sinks import InMemory, Written

Reasons = Literal["due", "all", "none"]

RULES = Stage("rules", "read and check the strategy; load the champion of each of its models")
FACTS = Stage("facts", "allocate payments, find episodes, aggregate features")
SCORE = Stage("score", "a probability for the population of each model")
DECIDE = Stage("decide", "bands, tiers, segment, path, step, guards")


@dataclass(frozen=True)
class Decider:
    """Everything that turns facts into decisions as of one date.

    `facts` describes what the strategy and its models read, `billed` whether there are bills,
    `scale` the decimals of money and `currency` its code. `watches` take note of how accounts
    differ from those a model was trained on. `relations` between features are what proofs take
    for granted of them.
    """

    strategy: Strategy
    scorers: Mapping[str, Scorer]
    as_of: date
    reasons: Reasons
    facts: Mapping[str, Fact]
    billed: bool
    scale: int
    currency: str
    watches: Mapping[str, Watch] = field(default_factory=dict)
    relations: tuple[Expression, ...] = ()

    @cached_property
    def compiled(self) -> tuple[Relation, ...]:
        """The strategy as SQL, from `scored` to `decided`."""
        return tuple(compile_strategy(self.strategy, self.as_of))

    @property
    def of(self) -> str | None:
        """The probability that the first band is cut from: its reasons and mean are shown."""
        if self.strategy.bands:
            return self.strategy.bands[0].of
        return next(iter(self.strategy.uses), None)

    @property
    def wanted(self) -> frozenset[str]:
        """Facts to compute: what rules and models read, less what comes after."""
        return self.read_by_rules.union(*(s.reads for s in self.scorers.values())) - self._given

    @property
    def read_by_rules(self) -> frozenset[str]:
        """Those of the facts to compute that rules read."""
        return frozenset(self.strategy.facts) - self._given

    @property
    def _given(self) -> frozenset[str]:
        """What is no fact to compute, whatever reads it: it comes after, or is not to be had."""
        return frozenset((*self.strategy.uses, *self.strategy.default_values))

    @property
    def default_values(self) -> dict[str, object]:
        """What stands for each fact that the workspace lacks: a probability whose model was never
        trained is unknown."""
        return {**self.strategy.default_values, **dict.fromkeys(self.unscored)}

    @property
    def unscored(self) -> list[str]:
        """The probabilities that no model gives."""
        return [key for key in self.strategy.uses if key not in self.scorers]

    def unscored_notes(self) -> Iterator[str]:
        """A sentence for each model that was never trained, and that riskseg.toml does without."""
        for key in self.unscored:
            yield unknown_for_all(key, self.strategy.uses[key])

    @property
    def explains(self) -> Scorer | None:
        """The model whose reasons are given."""
        return self.scorers.get(self.of) if self.of is not None else None

    @property
    def versions(self) -> dict[str, str]:
        """Of each key in `uses`, the model's name and version."""
        return {k: f"{s.model.name} {s.model.version}" for k, s in self.scorers.items()}

    def unwatched(self) -> Decider:
        """The same, with watches that have seen no account yet."""
        return replace(self, watches={k: watch.anew() for k, watch in self.watches.items()})


def decider(
    strategy: Strategy,
    models: Mapping[str, Model],
    as_of: date,
    reasons: Reasons,
    facts: Mapping[str, Fact],
    *,
    billed: bool,
    scale: int,
    currency: str,
    relations: tuple[Expression, ...] = (),
    accounts: int | None = None,
) -> Decider:
    """A decider with `models`, by the keys of the strategy's `uses`. Raises RS409 where a model
    needs a fact that `facts` does not have."""
    scorers = {
        model_key: scorer(model, facts, billed=billed) for model_key, model in models.items()
    }
    watches = {key: model.watch(accounts=accounts) for key, model in models.items()}
    return Decider(
        strategy, scorers, as_of, reasons, facts, billed, scale, currency, watches, relations
    )


def make_facts(
    session: Session | LedgerInEngine,
    wanted: Iterable[str],
    as_of: date,
    first: int,
    last: int,
    *,
    shared: bool = False,
) -> None:
    """Make `facts` from the sources, for the accounts of a range that exist as of the date.
    `shared` as in :func:`riskseg.pipeline.facts.facts`."""
    ledger = session.ledger
    snapshots = as_of_snapshots(as_of, first, last, listed=ledger.listed, dated=ledger.dated)
    wanted_names = frozenset(wanted)
    build(
        session.engine,
        facts(
            ledger,
            session.catalogue,
            session.scale,
            wanted_names,
            snapshots,
            shared=shared,
            of_the_day=of_the_day(ledger, wanted_names, as_of),
        ),
    )


def of_the_day(ledger: Ledger, wanted: Iterable[str], as_of: date) -> dict[str, str]:
    """SQL of those of the facts that hang on the day and on attributes alone."""
    counted = {name: f"cast({v} as bigint)" for name, v in calendar_facts(wanted, as_of).items()}
    return counted | contact_hours_sql(wanted, as_of, ledger.attributes)


def score_facts(engine: Engine, decider: Decider) -> dict[str, str]:
    """Score `facts` with each of the strategy's models: the names of the tables made."""
    return {
        key: score(engine, key, applied, decider.facts, decider.watches.get(key))
        for key, applied in decider.scorers.items()
    }


def scored_by(decider: Decider, scores: Mapping[str, str]) -> Relation:
    """`scored`, of `facts` and their scores: all that the strategy reads of each account."""
    strategy = decider.strategy
    default_values = {
        defaulted_fact: f"cast({_sql(value)} as {TYPES[strategy.facts[defaulted_fact].kind]})"
        for defaulted_fact, value in strategy.default_values.items()
    }
    default_values |= {key: f"cast(null as {PROBABILITY})" for key in decider.unscored}
    return scored(scores, default_values)


def put_scored(engine: Engine, decider: Decider, scores: Mapping[str, str]) -> None:
    """Make the table `scored`."""
    build(engine, [scored_by(decider, scores)])


def decide_scored(
    engine: Engine, decider: Decider, scores: Mapping[str, str], of_decided: Relation | None = None
) -> None:
    """From `facts` and their scores: `decided` and (where wanted) `reasons`. With `of_decided`,
    which reads some columns of `IN_FULL`, that alone is made: the other columns cost nothing.

    Raises RS613 for accounts that proofs do not speak of.
    """
    put_scored(engine, decider, scores)
    hold_against(engine, decider.strategy, decider.relations, decider.scale)
    make_decided(engine, decider, of_decided)
    if decider.reasons != "none" and decider.explains is not None:
        due = f" where {out('action')} <> {literal(NO_ACTION)}" if decider.reasons == "due" else ""
        explain(
            engine,
            decider.explains,
            decider.facts,
            f"select snap from decided{due}",
            Currency(decider.currency, decider.scale),
        )


def make_decided(engine: Engine, decider: Decider, of_decided: Relation | None = None) -> None:
    """From `scored`: `decided`, or that which is read of it, as :func:`decide_scored` says."""
    strategy = decider.strategy
    with located_overflow(engine, strategy, decider.as_of, "account_no", _named(engine)):
        relations: Sequence[Relation] = decider.compiled
        if of_decided is not None:
            in_full = replace(relations[-1], name=IN_FULL, materialized=False)
            relations = [*relations[:-1], in_full, of_decided]
        build(engine, relations)


class WritingJob(Job):
    """A job that writes decisions of ranges of accounts, which have the `schema`."""

    decider: Decider
    ranges: Sequence[tuple[int, int]] = ()
    schema: pa.Schema

    def write(
        self, target: str | InMemory, decisions: Iterator[pa.RecordBatch], run: str
    ) -> Written:
        """Write decisions; their schema is known once the first of them are. In a workbook, which
        people read, those of the highest priority come first."""
        from riskseg.store import sinks

        first = list(islice(decisions, 1))
        dated = sinks.Dated(self.decider.as_of, ("account_id",))
        rows: Iterator[pa.RecordBatch] = chain(first, decisions)
        if isinstance(target, str) and sinks.for_people(target):
            rows = _by_priority(rows, self.schema)
        return sinks.write(target, self.schema, rows, token=run, dated=dated)


class DecidingJob(WritingJob, ABC):
    """A job that decides ranges of accounts, one after the other, from the table `facts`."""

    engine: Engine
    # Facts that are worked out, and read of `decided`, beside those that deciding needs.
    more: frozenset[str] = frozenset()

    @classmethod
    def deciding(cls, into: Stage, *, facts: Stage = FACTS) -> ForEach:
        """The stages from `facts` to decisions, for each range of accounts; `into` takes the
        decisions of all of them as one stream."""
        stages = (facts.by(cls.facts), SCORE.by(cls.score), DECIDE.by(cls.decide))
        return ForEach("partition", lambda job: job.ranges, stages, into=into)

    @abstractmethod
    def facts(self, accounts: tuple[int, int]) -> None:
        """Make the table `facts` of a range of accounts: its first number and its last."""

    def score(self, accounts: tuple[int, int]) -> None:
        self._scores = score_facts(self.engine, self.decider)

    def decide(self, _accounts: tuple[int, int]) -> Iterator[pa.RecordBatch]:
        """The decisions of the accounts in `facts`, in the order of account ids."""
        by = self.decider
        decide_scored(self.engine, by, self._scores, decided_to_write(by, sorted(self.more)))
        decisions = self.engine.batches(decision_select(by, hashed=True))
        self.schema = decisions.schema
        yield from decisions


def _by_priority(rows: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """All rows, those of the highest priority first; else by account."""
    import pyarrow as pa

    order = [("priority", "descending"), ("account_id", "ascending")]
    yield from pa.Table.from_batches(rows, schema).sort_by(order).to_batches()


def _named(engine: Engine) -> Callable[[int], str]:
    """An account's id by its number."""
    return lambda number: str(
        engine.value(f"select account_id from account_ids where account_no = {number}")
    )


def _sql(value: object) -> str:
    if value is None:
        return "null"
    return literal(str(value)) if not isinstance(value, bool) else str(value).lower()


def prepare(
    session: Session,
    strategy: Strategy,
    as_of: date,
    journal: Any,
    *,
    reasons: Reasons = "due",
    accounts_from: Path | None = None,
) -> Decider:
    """A strategy and the champions of its models, ready to decide as of the date."""
    session.answers(as_of)
    models = used_champions(session.workspace, strategy.uses, journal)
    check_given(session.engine, session.workspace, accounts_from, models.values())
    check_features(accounts_from, models.values(), session.facts)
    return decider(
        strategy,
        models,
        as_of,
        reasons,
        session.facts,
        billed=session.ledger.billed,
        scale=session.scale,
        currency=session.workspace.settings.currency,
        relations=between(session.catalogue, strategy.facts),
        accounts=session.ledger.accounts,
    )


def note_differences(
    session: Session, models: Mapping[str, Model], watches: Mapping[str, Watch], progress: Progress
) -> dict[str, list[str]]:
    """How what was scored differs from what each model was trained on, as notes too; one line
    where it does not."""
    messages = {}
    for key, watch in watches.items():
        drift = watch.drift()
        messages[key] = [*columns_since(session, models[key]), *drift.differences]
        for message in messages[key]:
            progress.warn(f"{key}: {message}")
        if drift.summary and not messages[key]:
            progress.note(f"{key}: {drift.summary}")
    return messages


def drift_figures(watches: Mapping[str, Watch]) -> tuple[DriftFigure, ...]:
    """The figures behind these differences."""
    return tuple(
        DriftFigure(
            model=key,
            feature=measured.feature or None,
            psi=round(float(measured.psi), 4),
            by_chance=round(float(measured.by_chance), 4),
            differs=bool(measured.differs),
        )
        for key, watch in watches.items()
        for measured in watch.measured()
    )
