"""How much of the arrears is on a plan, and which plans are kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from riskseg.domain.ageing import PAST_DUE
from riskseg.insight.arrangements import ALL, BY_CHANNEL, BY_MONTH, BY_SEGMENT, arrangements
from riskseg.insight.insight import Insight
from riskseg.insight.intervals import ObservedShare, observed_share, share_columns
from riskseg.insight.portfolio import Portfolio
from riskseg.insight.small_numbers import hidden_groups
from riskseg.results.insights.answer import FEWEST
from riskseg.results.insights.plans import ArrearsOnPlan, PlansKept, SegmentOnPlan


class Plans(Insight[Portfolio, PlansKept]):
    """The share of what is past due that a kept plan covers, month by month, and what came of the
    plans of the last twelve months."""

    name = "plans"
    question = "How much of the arrears is on a plan, and which plans are kept?"
    about = Portfolio
    needs = ("receivables", "planned")

    def answer(self, subject: Portfolio) -> PlansKept:
        return PlansKept(
            days=_on_plan(subject),
            arrears=_of_segments(subject),
            total=next(iter(arrangements(subject, "planned", ALL)), None),
            segments=arrangements(subject, "planned", BY_SEGMENT),
            channels=arrangements(subject, "planned", BY_CHANNEL),
            months=arrangements(subject, "planned", BY_MONTH),
        )


def _on_plan(subject: Portfolio) -> tuple[ArrearsOnPlan, ...]:
    rows = _shares(subject, "day", "receivables", "grouping desc")
    return tuple(
        ArrearsOnPlan(day=day, **_shown(figures, share, few=0 < figures["accounts"] < FEWEST))
        for day, _, figures, share in rows
    )


def _of_segments(subject: Portfolio) -> tuple[SegmentOnPlan, ...]:
    decided = f"""(
            select r.*, d.segment
            from receivables r
            join ({subject.last_day()}) d on d.account_id = r.account_id and d.day = r.day
        )"""
    rows = list(_shares(subject, "segment", decided, "sum(arrears) desc, grouping"))
    few = hidden_groups({segment: accounts for segment, accounts, *_ in rows})
    few |= hidden_groups({segment: figures["accounts"] for segment, _, figures, _ in rows})
    return tuple(
        SegmentOnPlan(segment=segment, **_shown(figures, share, few=segment in few))
        for segment, _, figures, share in rows
    )


def _shown(figures: dict[str, Any], share: ObservedShare, *, few: bool) -> dict[str, Any]:
    """What is shown of a group; of one of few accounts, what it owes."""
    if few:
        return {"arrears": figures["arrears"]}
    return {**figures, "share": share.share, "low": share.low, "high": share.high}


def _shares(
    subject: Portfolio, grouping: str, rows: str, order: str
) -> Iterator[tuple[Any, int, dict[str, Any], ObservedShare]]:
    """By group: how many accounts have arrears, what these amount to, and the share on a plan."""
    arrears = f"(on_plan + {' + '.join(bucket.column for bucket in PAST_DUE)})"
    for group, in_arrears, accounts, *observed in subject.engine.rows(f"""
        with by_party as (
            select {grouping} as grouping, party_id,
                count(*) filter (where {arrears} > 0) as in_arrears,
                count(*) filter (where on_plan > 0) as accounts,
                sum(on_plan) as on_plan,
                sum({arrears}) as arrears
            from {rows}
            group by grouping, party_id
        )
        select grouping, sum(in_arrears), sum(accounts), {share_columns("on_plan", "arrears")}
        from by_party
        where arrears > 0
        group by grouping
        order by {order}
    """):
        _, on_plan, amount, *_ = observed
        figures = {
            "arrears": subject.of_minor(amount),
            "on_plan": subject.of_minor(on_plan),
            "accounts": int(accounts),
        }
        yield group, int(in_arrears), figures, observed_share(*observed)


PLANS = Plans()
