"""How accounts move between segments from one day to another, and what changed for them."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import numpy as np

from riskseg.domain.relations import literal
from riskseg.insight.insight import Insight
from riskseg.insight.portfolio import Portfolio, level
from riskseg.insight.roll_rates import ABSENT
from riskseg.insight.small_numbers import hidden_groups
from riskseg.learning.psi import psi_of
from riskseg.results.insights.answer import FEWEST, NOT_SHOWN
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
        few = hidden_groups(_sizes(flows, "before"))
        index, by_chance = _stability(flows)
        moved = [f for f in flows if f.before != f.after and ABSENT not in (f.before, f.after)]
        return Movement(
            first=subject.compare,
            last=subject.as_of,
            flows=_shown(flows, few),
            drivers=tuple(
                driver
                for flow in sorted(moved, key=lambda f: (-f.accounts, f.before, f.after))[:_FLOWS]
                if flow.accounts >= FEWEST and flow.before not in few
                for driver in _drivers(subject, flow)
            ),
            moved=sum(flow.accounts for flow in moved),
            stayed=sum(flow.accounts for flow in flows if flow.before == flow.after),
            stability_index=index,
            stability_by_chance=by_chance,
            strategies=(subject.decided_on(subject.compare).strategy, subject.days[-1].strategy),
        )


MOVEMENTS = Movements()


def _both_days(subject: Portfolio) -> None:
    """Make `both_days`: each account with its segment, balance and levels on either day. One that
    is not there owes nothing; where there are no bills, nothing is known of what any account owes.
    """

    def owed(day: str) -> str:
        if not subject.billed:
            return f"{day}.balance_overdue"
        return f"case when {day}.account_id is null then 0 else {day}.balance_overdue end"

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
            {owed("b")} as overdue_before,
            {owed("a")} as overdue_after{levels}
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
            share=share_of(accounts, int(of)),
            overdue_before=subject.amount_if_known(overdue_before),
            overdue_after=subject.amount_if_known(overdue_after),
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


def _shown(flows: tuple[Flow, ...], few: frozenset[str]) -> tuple[Flow, ...]:
    """The flows as they are shown: those out of each of `few` as one, with what it owed. What the
    accounts of a small flow owed is hidden among those out of the same segment, and what they owe
    now among those into the same."""
    together: dict[str, Flow] = {}
    out_of: dict[str, dict[str, int]] = {}
    into: dict[str, dict[str, int]] = {}
    for flow in flows:
        if flow.before not in few:
            out_of.setdefault(flow.before, {})[flow.after] = flow.accounts
        elif (so_far := together.get(flow.before)) is None:
            together[flow.before] = flow.model_copy(update={"after": NOT_SHOWN, **_NOTHING})
        else:
            accounts = so_far.accounts + flow.accounts
            both = (so_far.overdue_before, flow.overdue_before)
            known = [owed for owed in both if owed is not None]
            together[flow.before] = so_far.model_copy(
                update={"accounts": accounts, "overdue_before": sum(known) if known else None}
            )
        into.setdefault(flow.after, {})[flow.before] = flow.accounts
    small_before = {before: hidden_groups(sizes) for before, sizes in out_of.items()}
    small_after = {after: hidden_groups(sizes) | few for after, sizes in into.items()}
    shown = [
        flow.model_copy(
            update={
                **({"overdue_before": None} if flow.after in small_before[flow.before] else {}),
                **({"overdue_after": None} if flow.before in small_after[flow.after] else {}),
            }
        )
        for flow in flows
        if flow.before not in few
    ]
    return tuple(sorted([*shown, *together.values()], key=lambda f: (f.before, f.after)))


# What is not known of the accounts of a segment whose flows are shown as one.
_NOTHING = {"share": None, "overdue_after": None}


def _sizes(flows: tuple[Flow, ...], side: str) -> Counter[str]:
    sizes: Counter[str] = Counter()
    for flow in flows:
        sizes[getattr(flow, side)] += flow.accounts
    return sizes


def _stability(flows: tuple[Flow, ...]) -> tuple[Decimal | None, Decimal | None]:
    """The population stability index of the shares of segments on both days, and what chance alone
    gives, with four decimals; None where there were no accounts on one of them."""
    before, after = _sizes(flows, "before"), _sizes(flows, "after")
    del before[ABSENT], after[ABSENT]
    if not before.total() or not after.total():
        return None, None
    names = sorted({*before, *after})
    index, by_chance = psi_of(
        np.array([before[name] for name in names], float),
        np.array([after[name] for name in names], float),
    )
    return round(Decimal(index), 4), round(Decimal(by_chance), 4)
