"""The accounts as they were decided on one day after another: what insights about segments are
asked of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from riskseg.domain.decision import NAMES
from riskseg.domain.facts import Fact
from riskseg.domain.relations import Relation, fact_column, quoted
from riskseg.engine import Engine
from riskseg.ledger.ageing import payments_added
from riskseg.ledger.payments import undone_payments
from riskseg.pipeline.contracts import build
from riskseg.pipeline.load import Ledger
from riskseg.rules.elements import Action

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
)


# Within how many days after a day it is asked what was paid.
HORIZONS = (7, 30, 60, 90)


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

    `engine` holds them as the table `decided_days`, a row for each account and day: day, those of
    `READ`, probability (that which decisions have under the name `of`; null where the account has
    none), and a text for each of `levels`, under `level(name)`: null on a day whose strategy has no
    such band or tier. `days` are in order; the last one is `as_of`. `compare` is the day that
    movement is seen from, None where there is no earlier one. `of_default` says that the
    probability is that of a default.

    Where `facts` describes any, `engine` holds the accounts of the last day too, as the table
    `profiled`: account_id, segment and the `fact_column` of each fact, as it is known now of that
    day.

    `actions` are those of the strategy in force on the as-of date, and `cohorts` the facts by which
    treatment is compared: those that are declared protected, that protect accounts in the
    strategy, or that a model's spec names under `fairness`.

    Where an insight needs it, `engine` holds the table `received` too, a row for each account, day
    and one of `HORIZONS`: account_id, day, within (days), and received, what the account paid in so
    many days after the day, less what was taken back or paid out, in minor units, as known at the
    end of them. Days whose horizon ends after the as-of date are not in it.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        currency: str,
        scale: int,
        billed: bool,
        of: str | None,
        of_default: bool,
    ) -> None:
        self.engine, self.currency, self.scale, self.billed = engine, currency, scale, billed
        self.of, self.of_default = of, of_default
        self.days: list[DecidedDay] = []
        self.levels: list[str] = []
        self.compare: date | None = None
        self.facts: dict[str, Fact] = {}
        self.actions: tuple[Action, ...] = ()
        self.cohorts: list[str] = []
        self._tables: list[str] = []
        self._profiled = self._received = False

    @property
    def as_of(self) -> date:
        return self.days[-1].day

    def add(self, decided: DecidedDay, decisions: pa.Table) -> None:
        """Add the decisions of a day, as :func:`riskseg.domain.decision.decision_names` has them:
        the texts among the columns of the strategy's own are its bands and tiers."""
        own = [name for name in decisions.column_names if name not in NAMES]
        levels = [name for name in own if pa.types.is_string(decisions.schema.field(name).type)]
        name = f"decided_day_{len(self.days)}"
        given = f"{name}_given"
        self.engine.register(given, decisions)
        columns = [f"cast({quoted(column)} as {self._type(column)}) as {column}" for column in READ]
        probability = quoted(self.of) if self.of is not None and self.of in own else "null"
        columns.append(f"cast({probability} as double) as probability")
        columns += [f"{quoted(own_level)} as {level(own_level)}" for own_level in levels]
        self.engine.run(
            f"create temp table {name} as select date '{decided.day}' as day, "
            f"{', '.join(columns)} from {given}"
        )
        self.engine.unregister(given)
        self.days.append(decided)
        self.levels += [own_level for own_level in levels if own_level not in self.levels]
        self._tables.append(name)

    def complete(self) -> None:
        """Make `decided_days` of the days that were added."""
        by_day = " union all by name ".join(f"select * from {name}" for name in self._tables)
        self.engine.run(f"create temp table decided_days as {by_day}")
        for name in self._tables:
            self.engine.run(f"drop table {name}")

    def add_facts(self) -> None:
        """Add the accounts of the table `facts` to `profiled`."""
        columns = ", ".join(f"f.{fact_column(name)}" for name in self.facts)
        select = f"""
        select d.account_id, d.segment, {columns}
        from facts f
        join account_ids i on i.account_no = f.account_no
        join ({self.last_day()}) d on d.account_id = i.account_id
        """
        into = "insert into profiled" if self._profiled else "create temp table profiled as"
        self.engine.run(f"{into} {select}")
        self._profiled = True

    def add_received(self, ledger: Ledger, first: int, last: int) -> None:
        """Add what the accounts of a range paid after each day to `received`."""
        looked_at = [
            (day.day, within, day.day + timedelta(days=within))
            for day in self.days
            for within in (0, *HORIZONS)
            if day.day + timedelta(days=within) <= self.as_of
        ]
        ends = ", ".join(f"(date '{end}')" for end in sorted({end for *_, end in looked_at}))
        snapshots = f"""
        select cast(row_number() over (order by i.account_no, e.ends) as integer) as snap,
            i.account_no, e.ends as as_of
        from account_ids i
        cross join (values {ends}) e(ends)
        where i.account_no between {first} and {last}
        """
        listed = ", ".join(f"(date '{d}', {n}, date '{end}')" for d, n, end in looked_at)
        received = f"""
        select s.account_no, l.day, l.within,
            coalesce(p.paid, 0) - coalesce(p.taken_back, 0) - coalesce(p.paid_out, 0) as so_far
        from snapshots s
        join (values {listed}) l(day, within, ends) on l.ends = s.as_of
        left join payments_added p on p.snap = s.snap
        """
        build(
            self.engine,
            [
                Relation("snapshots", snapshots, materialized=True),
                *([undone_payments()] if ledger.money.reverses else []),
                payments_added(ledger.money),
                Relation("received_so_far", received, materialized=True),
            ],
        )
        into = "insert into received" if self._received else "create temp table received as"
        self.engine.run(f"""
        {into}
        select i.account_id, a.day, a.within, a.so_far - b.so_far as received
        from received_so_far a
        join received_so_far b on b.account_no = a.account_no and b.day = a.day and b.within = 0
        join account_ids i on i.account_no = a.account_no
        where a.within > 0
        """)
        self._received = True

    def _type(self, column: str) -> str:
        kinds = {"priority": "double", "days_past_due": "bigint"}
        return kinds.get(
            column, f"decimal(18, {self.scale})" if column == "balance_overdue" else "varchar"
        )

    def amount(self, value: Any) -> Decimal:
        """A sum with the decimals of money; 0 where nothing was summed."""
        return round(Decimal(value or 0), self.scale)

    def figure(self, value: float) -> Decimal:
        """A figure with four decimals."""
        return round(Decimal(value), 4)

    def last_day(self, day: date | None = None) -> str:
        """A select of the accounts of a day; the last if left out."""
        return f"select * from decided_days where day = date '{day or self.as_of}'"


def level(name: str) -> str:
    """The column of a band or tier."""
    return quoted(f"level {name}")
