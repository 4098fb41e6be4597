"""The rows that models learn from, of ranges of accounts: facts as of their dates, and how they
came out. For a run of `train`, and for each of the buckets that a run has observed elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from riskseg.domain.relations import Relation, fact_column, literal
from riskseg.engine import Engine
from riskseg.ledger.settled import settled_bills
from riskseg.pipeline.contracts import build
from riskseg.pipeline.facts import facts as facts_relations
from riskseg.pipeline.labelling import WantedRows, make_labels
from riskseg.pipeline.observation_points import Look
from riskseg.pipeline.outcomes import Strays, stray_values
from riskseg.pipeline.session import LedgerInEngine, Session

# Snapshots times bills and payments that one part holds at most: about 500 MB in the engine.
PAIRS_A_PART = 12_000_000
# Places a row may have in the draw of a sample: 32 bits of an md5.
PLACES = 2**32
# The columns of drawn rows that come before those of the model.
KEYS = ("account", "party", "as_of", "label", "place")


@dataclass(frozen=True, slots=True)
class Observed:
    """A table of the scratch with the facts of snapshots, and the ranges of accounts that are
    few enough to be looked at in one pass."""

    table: str
    parts: Sequence[tuple[int, int]]


@dataclass
class Drawn:
    """Labelled rows of a model, in the order of account ids and dates.

    With more good or more bad outcomes than `most`, the rows are those at the lowest places, which
    are `below` a limit of each outcome. `totals` counts the rows of each outcome, drawn or not, and
    `strays` values of the outcome that are none.
    """

    most: tuple[int, int]
    rows: list[pa.Table] = field(default_factory=list)
    below: tuple[int, int] = (PLACES, PLACES)
    totals: tuple[int, int] = (0, 0)
    strays: Strays = field(default_factory=Counter)

    def include(self, other: Drawn) -> None:
        """Draw from the rows of other accounts too, which come behind these."""
        self.totals = (self.totals[0] + other.totals[0], self.totals[1] + other.totals[1])
        self.strays.update(other.strays)
        self.rows = [*self.rows, *other.rows]
        lower = tuple(map(min, self.below, other.below))
        # Rows at places that either has given up are no part of the draw.
        if self.below != other.below:
            self._cut((lower[0], lower[1]))
        self._thin()

    def _thin(self) -> None:
        """Keep no more than `most` rows of each outcome."""
        places, labels = self._keys()
        limits = list(self.below)
        for label in (0, 1):
            of_label = places[labels == label]
            if len(of_label) > self.most[label]:
                limits[label] = int(np.partition(of_label, self.most[label])[self.most[label]])
        if tuple(limits) != self.below:
            self._cut((limits[0], limits[1]))

    def _cut(self, below: tuple[int, int]) -> None:
        self.below = below
        limit = np.asarray(below)
        self.rows = [
            part.filter(pa.array(part["place"].to_numpy() < limit[part["label"].to_numpy()]))
            for part in self.rows
        ]

    def _keys(self) -> tuple[np.ndarray, np.ndarray]:
        places = [part["place"].to_numpy() for part in self.rows]
        labels = [part["label"].to_numpy() for part in self.rows]
        return np.concatenate(places), np.concatenate(labels)


def observe(
    source: Session | LedgerInEngine,
    models: Sequence[WantedRows],
    ranges: Sequence[tuple[int, int]],
) -> list[Observed]:
    """Work out the facts that each of the models learns from, of adjoining ranges of accounts: once
    for models that look alike.

    A fact is of its account and day, whatever other days are looked at, so a model finds what it
    would find alone.
    """
    looks: dict[Look, list[WantedRows]] = {}
    for wanted in models:
        looks.setdefault(wanted.look, []).append(wanted)
    if any(look.repeats for look in looks):
        build(source.engine, settled_bills(source.ledger.money))
    table_by_look = {
        look: _observed(source, f"observed_{look_number}", look, alike, ranges)
        for look_number, (look, alike) in enumerate(looks.items())
    }
    return [table_by_look[wanted.look] for wanted in models]


def _observed(
    source: Session | LedgerInEngine,
    table: str,
    look: Look,
    models: Sequence[WantedRows],
    ranges: Sequence[tuple[int, int]],
) -> Observed:
    """Fill the table with what all of the models want of each account, on the days of any."""
    engine, ledger = source.engine, source.ledger
    windows = [wanted.days for wanted in models if wanted.days]
    snapshots = look.snapshots(windows, ledger.money.bill_order("focus_bill"))
    build(engine, [replace(snapshots, name="every_snapshot")])
    parts = _parts(source, ranges)
    for number, (first, last) in enumerate(parts):
        snapshots_of_part = f"""
        select *
        from every_snapshot
        where account_no between {first} and {last}
        """
        relations = facts_relations(
            ledger,
            source.catalogue,
            source.scale,
            frozenset().union(*(wanted.names for wanted in models)),
            Relation("snapshots", snapshots_of_part, materialized=True),
            focus=look.at == "issue",
            shared=look.repeats,
        )
        build(engine, relations)
        into = f"insert into {table}" if number else f"create or replace table {table} as"
        engine.run(
            f"""
            {into}
            select * from facts
            """
        )
    return Observed(table, parts)


def _parts(
    source: Session | LedgerInEngine, ranges: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """The ranges of accounts, divided so that the snapshots of each part, times the bills and
    payments of each, are few enough to be looked at in one pass. An account is never divided."""
    if not source.ledger.billed:
        return [*ranges]
    first, last = ranges[0][0], ranges[-1][1]
    range_ends = source.engine.rows(
        f"""
        with snapshots_by_account as (
            select account_no, count(*) as snapshots
            from every_snapshot
            where account_no between {first} and {last}
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
    return list(zip([first, *(cut + 1 for cut in cuts)], cuts, strict=False))


def labelled(source: Session | LedgerInEngine, wanted: WantedRows, observed: Observed) -> Drawn:
    """Snapshots of the model's population, their facts and their labels.

    With more good or more bad outcomes than the spec's sample takes, they are drawn by a hash of
    account and date.
    """
    engine, most, place = source.engine, wanted.most, _place(wanted.seed)
    drawn = Drawn(most)
    for accounts in observed.parts:
        make_labels(source, wanted, observed.table, accounts)
        goods, bads = engine.rows(
            "select count(*) filter (where label = 0), count(*) filter (where label = 1) "
            "from labels"
        )[0]
        strays: Strays = Counter()
        if wanted.zero_or_one:
            strays = _strays(engine, wanted, observed.table, accounts)
        rows = engine.arrow(_labelled_rows(wanted.columns, place, drawn.below))
        drawn.include(Drawn(most, [rows], drawn.below, (goods, bads), strays))
    return drawn


def _strays(engine: Engine, wanted: WantedRows, table: str, accounts: tuple[int, int]) -> Strays:
    """Values of the outcome, a number, that are neither 0 nor 1."""
    first, last = accounts
    condition = f"{wanted.in_window} and account_no between {first} and {last}"
    return stray_values(engine, wanted.target.column or "", table, condition)


def _labelled_rows(columns: str, place: str, below: tuple[int, int]) -> str:
    """Whose each labelled row is, its label, its place in the draw and its facts, in order: those
    with good and with bad outcomes at places below `below`."""
    select_list = ",\n            ".join(filter(None, (f"{place} as place", columns)))
    return f"""
        select i.account_id as account,
            f.{fact_column("party_id")} as party,
            f.as_of,
            l.label,
            {select_list}
        from observed_facts f
        join labels l on l.snap = f.snap
        join account_ids i on i.account_no = f.account_no
        where {place} < case l.label when 0 then {below[0]} else {below[1]} end
        order by i.account_id, f.snap
        """


def _place(seed: int) -> str:
    """SQL for a number below PLACES that an account and date always have, and no others' know."""
    digits = f"substr(md5(i.account_id || '/' || f.as_of || {literal(f'/sample/{seed}')}), 1, 8)"
    return f"cast('0x' || {digits} as bigint)"
