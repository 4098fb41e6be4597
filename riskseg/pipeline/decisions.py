"""From facts to decisions: the one way, for `assign`, `explain`, `replay` and whoever compares.

A :class:`Decider` knows all it needs of the workspace; what it decides is the table `facts`, with
`account_ids` beside it, wherever they come from: computed from the sources or kept by a run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from riskseg.domain.decision import DECIDED, decision_names
from riskseg.domain.facts import Fact
from riskseg.domain.relations import fact_column, literal, quoted
from riskseg.engine import Engine
from riskseg.expressions import Expression
from riskseg.features.snapshots import as_of_snapshots
from riskseg.learning.artefact import Model
from riskseg.learning.reference import Watch
from riskseg.learning.wording import Currency
from riskseg.pipeline.account_file import check_features, check_given
from riskseg.pipeline.facts import OVERDUE, facts
from riskseg.pipeline.invariants import between, hold_against
from riskseg.pipeline.models import Scorer, load_champions, scorer
from riskseg.pipeline.overflow import told_where
from riskseg.pipeline.scoring import explain, score, scored
from riskseg.pipeline.session import Session
from riskseg.pipeline.stages import Progress, Stage, build
from riskseg.pipeline.training_rows import columns_since
from riskseg.rules.elements import NO_ACTION
from riskseg.rules.model import Strategy
from riskseg.rules.sql import out
from riskseg.strategy.compile import compile_strategy
from riskseg.strategy.examples import TYPES

if TYPE_CHECKING:
    import pyarrow as pa

Reasons = Literal["due", "all", "none"]
Reached = Callable[[Stage], None]

FACTS = Stage("facts", "allocate payments, find episodes, aggregate features", "partition")
SCORE = Stage("score", "a probability for the population of each model", "partition")
DECIDE = Stage("decide", "bands, tiers, segment, path, step, guards", "partition")


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

    @property
    def of(self) -> str | None:
        """The probability that the first band is cut from: whose reasons and mean are told."""
        if self.strategy.bands:
            return self.strategy.bands[0].of
        return next(iter(self.strategy.uses), None)

    @property
    def wanted(self) -> frozenset[str]:
        """Facts to compute: what rules and models read, less what comes after."""
        read = set(self.strategy.facts).union(*(s.reads for s in self.scorers.values()))
        return frozenset(read - set(self.strategy.uses) - set(self.strategy.default_values))

    @property
    def versions(self) -> dict[str, str]:
        """Of each key in `uses`, the model's name and version."""
        return {k: f"{s.model.name} {s.model.version}" for k, s in self.scorers.items()}


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
) -> Decider:
    """A decider with a model for each of the strategy's `uses`. Raises RS409 where a model needs
    a fact that `facts` does not have."""
    scorers = {k: scorer(m, facts, billed=billed) for k, m in models.items()}
    watches = {key: model.watch() for key, model in models.items()}
    return Decider(
        strategy, scorers, as_of, reasons, facts, billed, scale, currency, watches, relations
    )


def decide(session: Session, decider: Decider, first: int, last: int, reached: Reached) -> None:
    """Make `facts`, the scores, `decided` and (where wanted) `reasons` for a range of accounts."""
    make_facts(session, decider.wanted, decider.as_of, first, last, reached)
    decide_facts(session.engine, decider, reached)


def make_facts(
    session: Session, wanted: Iterable[str], as_of: date, first: int, last: int, reached: Reached
) -> None:
    """Make `facts` from the sources, for the accounts of a range that exist as of the date."""
    reached(FACTS)
    ledger = session.ledger
    snapshots = as_of_snapshots(as_of, first, last, listed=ledger.listed, dated=ledger.dated)
    build(session.engine, facts(ledger, session.catalogue, session.scale, wanted, snapshots))


def decide_facts(engine: Engine, decider: Decider, reached: Reached) -> None:
    """From `facts`: the scores, `decided` and (where wanted) `reasons`.

    Raises RS613 for accounts that proofs do not speak of.
    """
    strategy = decider.strategy
    reached(SCORE)
    tables = {
        key: score(engine, key, one, decider.facts, decider.watches.get(key))
        for key, one in decider.scorers.items()
    }
    reached(DECIDE)
    default_values = {
        name: f"cast({_sql(value)} as {TYPES[strategy.facts[name].kind]})"
        for name, value in strategy.default_values.items()
    }
    build(engine, [scored(tables, default_values)])
    hold_against(engine, strategy, decider.relations, decider.scale)
    with told_where(engine, strategy, decider.as_of, "account_no", _named(engine)):
        build(engine, compile_strategy(strategy, decider.as_of))
    if decider.reasons != "none" and decider.of is not None:
        due = f" where {out('action')} <> {literal(NO_ACTION)}" if decider.reasons == "due" else ""
        explain(
            engine,
            decider.scorers[decider.of],
            decider.facts,
            f"select snap from decided{due}",
            Currency(decider.currency, decider.scale),
        )


def _named(engine: Engine) -> Callable[[int], str]:
    """An account's id by its number."""
    return lambda number: str(
        engine.value(f"select account_id from account_ids where account_no = {number}")
    )


def _sql(value: object) -> str:
    if value is None:
        return "null"
    return literal(str(value)) if not isinstance(value, bool) else str(value).lower()


def decision_select(decider: Decider) -> str:
    """The decision columns of the accounts just decided, in the order of account ids."""
    strategy = decider.strategy
    told = decider.reasons != "none" and decider.of is not None
    versions = ";".join(
        f"{s.model.name}={s.model.version}" for _, s in sorted(decider.scorers.items())
    )
    made = {
        **{name: f"d.{out(name)}" for name in (*strategy.levels, *DECIDED)},
        **{name: f"d.{fact_column(name)}" for name in (*strategy.uses, "as_of", "lifecycle")},
        "account_id": "i.account_id",
        "balance_overdue": f"cast(null as decimal(18, {decider.scale}))",
        "days_past_due": "cast(null as bigint)",
        **({name: f"d.{fact_column(name)}" for name in OVERDUE} if decider.billed else {}),
        "reasons": "r.reasons" if told else "cast(null as varchar)",
        "strategy_version": literal(strategy.fingerprint),
        "model_versions": literal(versions),
    }
    names = decision_names([*strategy.uses], strategy.levels)
    columns = ", ".join(f"{made[name]} as {quoted(name)}" for name in names)
    reasons = " left join reasons r on r.snap = d.snap" if told else ""
    return (
        f"select {columns} from decided d join account_ids i "
        f"on i.account_no = d.account_no{reasons} order by d.account_no"
    )


def decisions(
    engine: Engine,
    decider: Decider,
    parts: Sequence[tuple[int, int]],
    fill: Callable[[int, int], None],
    reached: Callable[[Stage, int], None],
    after: Callable[[], None] = lambda: None,
) -> Iterator[pa.RecordBatch]:
    """The schema first, then decisions in the order of account ids, a partition at a time.

    `fill` makes `facts` for a range of accounts; `reached` is told the stage and the partition,
    from 0; `after` is called when a partition's decisions are taken.
    """
    sql = decision_select(decider)
    for i, (first, last) in enumerate(parts):
        fill(first, last)
        decide_facts(engine, decider, lambda stage, i=i: reached(stage, i))  # type: ignore[misc]
        if i == 0:
            yield engine.arrow(f"select * from ({sql}) limit 0").schema
        yield from engine.batches(sql)
        after()


RULES = Stage("rules", "read and check the strategy; load the champion of each of its models")


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
    models = load_champions(session.workspace, strategy.uses, journal)
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
    )


def tell_differences(
    session: Session, models: Mapping[str, Model], watches: Mapping[str, Watch], progress: Progress
) -> dict[str, list[str]]:
    """How what was scored differs from what each model was trained on, as notes too; one line
    where it does not."""
    found = {}
    for key, watch in watches.items():
        drift = watch.drift()
        found[key] = [*columns_since(session, models[key]), *drift.differences]
        for message in found[key] or filter(None, [drift.summary]):
            progress.note(f"{key}: {message}")
    return found
