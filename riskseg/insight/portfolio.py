"""The accounts as they were decided on one day after another: what insights about segments are
asked of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from riskseg.domain.decision import NAMES
from riskseg.domain.facts import Fact
from riskseg.domain.relations import quoted
from riskseg.engine import Engine
from riskseg.learning.spec import ModelSpec
from riskseg.rules.elements import Action
from riskseg.rules.model import Strategy
from riskseg.store.records import RunRecord

if TYPE_CHECKING:
    from riskseg.learning.artefact import Model

# Why treatment is compared by a fact.
CohortKind = Literal["protected", "protective", "named"]

# The columns of decisions that insights read, beside probabilities and levels.
READ = (
    "account_id",
    "lifecycle",
    "segment",
    "path",
    "action",
    "channel",
    "priority",
    "balance_overdue",
    "days_past_due",
    "step",
    "guards",
    "rows_matched",
    "model_versions",
)


@dataclass(frozen=True)
class DecidedDay:
    """A day on which accounts were decided: by a run of the journal, or, where `run` is None, by
    the strategy in force on it from the sources as they are now."""

    day: date
    run: str | None
    strategy: str
    accounts: int


class Portfolio:
    """Accounts as they were decided on days.

    `sources` are the names of the workspace's.

    `engine` holds them as the table `decided_days`, a row for each account and day: day, party_id
    (who owed on that day; the account's own id where it has no party), those of `READ`,
    probability (that which decisions have under the name `of`; null where the account has
    none), and a text for each of `levels`, under `level(name)`: null on a day whose strategy has no
    such band or tier. `days` are in order; the last one is `as_of`. `compare` is the day that
    movement is seen from, None where there is no earlier one. `of_default` says that the
    probability is that of a default.

    `strategy` is the one in force on the as-of date, `actions` are its actions, and `used` the
    facts that it or its models read. `cohorts` are the facts by which treatment is compared, each
    with why: it is declared `protected`, it is `protective` (it protects accounts in the strategy),
    or a model's spec names it (`named`) under `fairness`. `legal_frame` is the one that
    riskseg.toml names.

    `runs` are those of the journal up to the as-of date, the latest first.

    `facts` are the features and attributes that accounts have, less `outcomes`: the columns that
    say what came of accounts, which a model predicts or monthly balances have. `tables` are the
    names of those of :data:`riskseg.insight.portfolio_tables.TABLES` that `engine` holds too.

    `specs` say what each probability of that strategy is of, by its name in decisions:
    `probability_of(name)` is its column in `decided_days`, null where an account has none. `models`
    are the models that give them.
    """

    strategy: Strategy
    runs: Sequence[RunRecord] = ()
    models: Mapping[str, Model] = {}

    def __init__(
        self,
        engine: Engine,
        *,
        currency: str,
        scale: int,
        sources: frozenset[str],
        of: str | None,
        of_default: bool,
        specs: Mapping[str, ModelSpec],
    ) -> None:
        self.specs = specs
        self.engine, self.currency, self.scale, self.sources = engine, currency, scale, sources
        self.of, self.of_default = of, of_default
        self.days: list[DecidedDay] = []
        self.levels: list[str] = []
        self.compare: date | None = None
        self.facts: dict[str, Fact] = {}
        self.outcomes: tuple[str, ...] = ()
        self.cohorts: dict[str, set[CohortKind]] = {}
        self.used: frozenset[str] = frozenset()
        self.legal_frame = "none"
        self.tables: set[str] = set()
        self._by_day: list[str] = []

    @property
    def billed(self) -> bool:
        return "bills" in self.sources

    @property
    def actions(self) -> tuple[Action, ...]:
        return self.strategy.actions

    @property
    def as_of(self) -> date:
        return self.days[-1].day

    def decided_on(self, day: date) -> DecidedDay:
        return next(decided for decided in self.days if decided.day == day)

    def add(self, decided: DecidedDay, decisions: pa.Table, *, dated: bool) -> None:
        """Add the decisions of a day, as :func:`riskseg.domain.decision.decision_names` has them:
        the texts among the columns of the strategy's own are its bands and tiers. Reads the table
        `parties`: account_id, day and party_id, null where nothing says whose account it is; where
        they are not `dated`, one day stands for all."""
        own = [name for name in decisions.column_names if name not in NAMES]
        levels = [name for name in own if pa.types.is_string(decisions.schema.field(name).type)]
        name = f"decided_day_{len(self.days)}"
        given = f"{name}_given"
        self.engine.register(given, decisions)
        columns = [
            f"cast(d.{quoted(column)} as {self._type(column)}) as {column}" for column in READ
        ]
        probability = f"d.{quoted(self.of)}" if self.of in own and self.of is not None else "null"
        columns.append(f"cast({probability} as double) as probability")
        for model in self.specs:
            of_model = f"d.{quoted(model)}" if model in own else "null"
            columns.append(f"cast({of_model} as double) as {probability_of(model)}")
        columns += [f"d.{quoted(own_level)} as {level(own_level)}" for own_level in levels]
        of_day = f"and p.day = date '{decided.day}'" if dated else ""
        self.engine.run(f"""
            create temp table {name} as
            select date '{decided.day}' as day,
                coalesce(p.party_id, d.account_id) as party_id,
                {", ".join(columns)}
            from {given} d
            left join parties p on p.account_id = d.account_id {of_day}
        """)
        self.engine.unregister(given)
        self.days.append(decided)
        self.levels += [own_level for own_level in levels if own_level not in self.levels]
        self._by_day.append(name)

    def complete(self) -> None:
        """Make `decided_days` of the days that were added."""
        by_day = " union all by name ".join(f"select * from {name}" for name in self._by_day)
        self.engine.run(f"create temp view decided_days as {by_day}")

    def _type(self, column: str) -> str:
        kinds = {"priority": "double", "days_past_due": "bigint", "step": "bigint"}
        return kinds.get(
            column, f"decimal(18, {self.scale})" if column == "balance_overdue" else "varchar"
        )

    def amount(self, value: float | Decimal) -> Decimal:
        """A sum with the decimals of money."""
        return round(Decimal(value), self.scale)

    def amount_if_known(self, value: Decimal | None) -> Decimal | None:
        """A sum with the decimals of money; None where nothing is known of what was summed."""
        return None if value is None else self.amount(value)

    def of_minor(self, value: int) -> Decimal:
        """Minor units as the amount they stand for."""
        return Decimal(int(value)).scaleb(-self.scale)

    def figure(self, value: float | Decimal) -> Decimal:
        """A figure with four decimals."""
        return round(Decimal(value), 4)

    def last_day(self, day: date | None = None) -> str:
        """A select of the accounts of a day; the last if left out."""
        return f"select * from decided_days where day = date '{day or self.as_of}'"


def level(name: str) -> str:
    """The column of a band or tier."""
    return quoted(f"level {name}")


def probability_of(name: str) -> str:
    """The column of a probability."""
    return quoted(f"probability {name}")
