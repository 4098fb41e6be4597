"""The table of segments: what each of them holds, added up partition by partition."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import get_args

from riskseg.domain.decision import Outlook
from riskseg.domain.relations import fact_column
from riskseg.engine import Engine
from riskseg.pipeline.decisions import Decider
from riskseg.results.runs import OutlookTotal, SegmentTotal
from riskseg.rules.elements import NO_ACTION
from riskseg.rules.sql import inner, out

_OUTLOOKS: tuple[Outlook, ...] = get_args(Outlook)


@dataclass
class _Sums:
    """What a segment holds, while it is added up: accounts and their overdue balance by outlook;
    `probability` sums those of the accounts that have one."""

    paths: dict[str, int] = field(default_factory=dict)
    accounts: dict[Outlook, int] = field(default_factory=lambda: dict.fromkeys(_OUTLOOKS, 0))
    overdue: dict[Outlook, Decimal] = field(
        default_factory=lambda: dict.fromkeys(_OUTLOOKS, Decimal(0))
    )
    scored: int = 0
    probability: Decimal = Decimal(0)

    def include(self, other: _Sums) -> None:
        """Add what other accounts of the segment hold."""
        for path, count in other.paths.items():
            self.paths[path] = self.paths.get(path, 0) + count
        for outlook in _OUTLOOKS:
            self.accounts[outlook] += other.accounts[outlook]
            self.overdue[outlook] += other.overdue[outlook]
        self.scored += other.scored
        self.probability += other.probability

    def total(self, segment: str, *, billed: bool) -> SegmentTotal:
        return SegmentTotal(
            segment=segment,
            paths=self.paths,
            accounts=sum(self.accounts.values()),
            overdue=sum(self.overdue.values(), Decimal(0)) if billed else None,
            scored=self.scored,
            probability=round(self.probability / self.scored, 4) if self.scored else None,
            due=self.accounts["due"],
            finished=self.accounts["finished"],
            outlook={
                outlook: OutlookTotal(
                    accounts=self.accounts[outlook],
                    overdue=self.overdue[outlook] if billed else None,
                )
                for outlook in _OUTLOOKS
            },
        )


class SegmentTotals:
    """The table of segments of a run, and how often each action is due."""

    def __init__(self, decider: Decider) -> None:
        self.decider = decider
        self.segments = {segment_name: _Sums() for segment_name in decider.strategy.segments}
        self.actions: dict[str, int] = {}

    def add(self, engine: Engine) -> None:
        """Add the accounts of `decided`, which is one to write."""
        decider = self.decider
        overdue_sum = f"sum({fact_column('balance_overdue')})" if decider.billed else "0"
        of = fact_column(decider.of) if decider.of else "cast(null as decimal(7, 6))"
        for segment, path, action, outlook, count, overdue, scored, probability in engine.rows(
            f"""
            select {out("segment")}, {out("path")}, {out("action")},
                {inner("outlook")},
                count(*), {overdue_sum}, count({of}), sum({of})
            from decided
            group by 1, 2, 3, 4
            order by 1, 2, 3, 4
            """
        ):
            sums = self.segments[segment]
            sums.paths[path] = sums.paths.get(path, 0) + count
            sums.accounts[outlook] += count
            sums.overdue[outlook] += overdue or 0
            sums.scored += scored
            sums.probability += probability or 0
            if action != NO_ACTION:
                self.actions[action] = self.actions.get(action, 0) + count

    def include(self, other: SegmentTotals) -> None:
        """Add the totals of other accounts."""
        for segment, sums in other.segments.items():
            self.segments[segment].include(sums)
        for action, count in other.actions.items():
            self.actions[action] = self.actions.get(action, 0) + count

    def ordered(self) -> tuple[SegmentTotal, ...]:
        """The segments that have accounts, in the order of the strategy's table."""
        return tuple(
            sums.total(segment_name, billed=self.decider.billed)
            for segment_name, sums in self.segments.items()
            if any(sums.accounts.values())
        )
