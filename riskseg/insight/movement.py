"""How accounts move between segments from one day to another, and what changed for them."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import numpy as np

from riskseg.domain.relations import literal
from riskseg.insight.insight import Insight
from riskseg.insight.portfolio import Portfolio, level
from riskseg.insight.roll_rates import ABSENT
from riskseg.learning.psi import psi_of
from riskseg.results.insights.answer import FEWEST
from riskseg.results.insights.movement import Driver, Flow, Movement
from riskseg.results.units import share_of

# Flows between two segments of which it is said what changed, and changes that are named of each.
_FLOWS, _CHANGES = 10, 3


class Movements(Insight[Portfolio, Movement]):
    """The flows between segments, what changed for the largest of them, and whether the shares of
    segments are stable."""

    name = "movement"
    question = "Which accounts move between segments, and what changed for them?"
    about = Portfolio
    needs_earlier_day = True

    def answer(self, subject: Portfolio) -> Movement:
        assert subject.compare is not None
        _both_days(subject)
        flows = _flows(subject)
        index, by_chance = _stability(flows)
        moved = [f for f in flows if f.before != f.after and ABSENT not in (f.before, f.after)]
        return Movement(
            first=subject.compare,
            last=subject.as_of,
            flows=flows,
            drivers=tuple(
                driver
                for flow in sorted(moved, key=lambda f: (-f.accounts, f.before, f.after))[:_FLOWS]
                if flow.accounts >= FEWEST
                for driver in _drivers(subject, flow)
            ),
            moved=sum(flow.accounts for flow in moved),
            stayed=sum(flow.accounts for flow in flows if flow.before == flow.after),
            stability_index=index,
            stability_by_chance=by_chance,
        )


MOVEMENTS = Movements()


def _both_days(subject: Portfolio) -> None:
    """Make `both_days`: each account with its segment, balance and levels on either day."""
    levels = "".join(
        f", b.{level(name)} as {level('before ' + name)}, a.{level(name)} as {level(name)}"
        for name in subject.levels
    )
    subject.engine.run(f"""
        create or replace temp table both_days as
        select
            coalesce(b.account_id, a.account_id) as account_id,
            coalesce(b.segment, '{ABSENT}') as before,
            coalesce(a.segment, '{ABSENT}') as after,
            coalesce(b.balance_overdue, 0) as overdue_before,
            coalesce(a.balance_overdue, 0) as overdue_after{levels}
        from ({subject.last_day(subject.compare)}) b
        full join ({subject.last_day()}) a on a.account_id = b.account_id
    """)


def _flows(subject: Portfolio) -> tuple[Flow, ...]:
    rows = subject.engine.rows("""
        select before, after, count(*), sum(overdue_before), sum(overdue_after),
            sum(count(*)) over (partition by before)
        from both_days
        group by before, after
        order by before, after
    """)
    return tuple(
        Flow(
            before=before,
            after=after,
            accounts=accounts,
            share=share_of(accounts, int(of)) if of >= FEWEST else None,
            overdue_before=subject.amount(overdue_before),
            overdue_after=subject.amount(overdue_after),
        )
        for before, after, accounts, overdue_before, overdue_after, of in rows
    )


def _drivers(subject: Portfolio, flow: Flow) -> list[Driver]:
    """The bands and tiers that changed for the accounts of a flow, those of most accounts first."""
    found = []
    for name in subject.levels:
        before, after = level("before " + name), level(name)
        found += [
            Driver(
                before=flow.before,
                after=flow.after,
                fact=name,
                change=f"{old or 'unknown'} → {new or 'unknown'}",
                accounts=accounts,
                share=share_of(accounts, flow.accounts),
            )
            for old, new, accounts in subject.engine.rows(f"""
                select {before}, {after}, count(*)
                from both_days
                where before = {literal(flow.before)} and after = {literal(flow.after)}
                    and {before} is distinct from {after}
                group by 1, 2
            """)
        ]
    found.sort(key=lambda driver: (-driver.accounts, driver.fact, driver.change))
    return found[:_CHANGES]


def _sizes(flows: tuple[Flow, ...], side: str) -> Counter[str]:
    sizes: Counter[str] = Counter()
    for flow in flows:
        if (segment := getattr(flow, side)) != ABSENT:
            sizes[segment] += flow.accounts
    return sizes


def _stability(flows: tuple[Flow, ...]) -> tuple[Decimal | None, Decimal | None]:
    """The population stability index of the shares of segments on both days, and what chance alone
    gives, with four decimals; None where there were no accounts on one of them."""
    before, after = _sizes(flows, "before"), _sizes(flows, "after")
    if not before.total() or not after.total():
        return None, None
    names = sorted({*before, *after})
    index, by_chance = psi_of(
        np.array([before[name] for name in names], float),
        np.array([after[name] for name in names], float),
    )
    return round(Decimal(index), 4), round(Decimal(by_chance), 4)
