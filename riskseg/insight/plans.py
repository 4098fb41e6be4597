"""How much of the arrears is on a plan, and which plans are kept."""

from __future__ import annotations

from riskseg.domain.ageing import PAST_DUE
from riskseg.insight.arrangements import ALL, BY_CHANNEL, BY_MONTH, BY_SEGMENT, arrangements
from riskseg.insight.insight import Insight
from riskseg.insight.intervals import observed_share, share_columns
from riskseg.insight.portfolio import Portfolio
from riskseg.results.insights.plans import ArrearsOnPlan, PlansKept


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
            total=next(iter(arrangements(subject, "planned", ALL)), None),
            segments=arrangements(subject, "planned", BY_SEGMENT),
            channels=arrangements(subject, "planned", BY_CHANNEL),
            months=arrangements(subject, "planned", BY_MONTH),
        )


def _on_plan(subject: Portfolio) -> tuple[ArrearsOnPlan, ...]:
    rows = subject.engine.rows(f"""
        with by_party as (
            select day, party_id,
                count(*) filter (where on_plan > 0) as accounts,
                sum(on_plan) as on_plan,
                sum(on_plan + {" + ".join(bucket.column for bucket in PAST_DUE)}) as arrears
            from receivables
            group by day, party_id
        )
        select day, sum(accounts), {share_columns("on_plan", "arrears")}
        from by_party
        where arrears > 0
        group by day
        order by day desc
    """)
    found = []
    for day, accounts, *observed in rows:
        _, on_plan, arrears, *_ = observed
        share = observed_share(*observed)
        found.append(
            ArrearsOnPlan(
                day=day,
                arrears=subject.of_minor(arrears),
                on_plan=subject.of_minor(on_plan),
                accounts=int(accounts),
                share=share.share,
                low=share.low,
                high=share.high,
            )
        )
    return tuple(found)


PLANS = Plans()
