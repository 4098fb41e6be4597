"""Whether accounts in arrears are treated alike, whoever they are: contacts, offers of help and
significant actions by declared cohort."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from riskseg.domain.facts import Kind
from riskseg.domain.relations import fact_column, literal
from riskseg.insight.insight import Insight
from riskseg.insight.intervals import NORMAL_95, ratio_of_sums
from riskseg.insight.portfolio import Portfolio
from riskseg.results.insights.answer import FEWEST
from riskseg.results.insights.fairness import CohortTreatment, TreatmentByCohort
from riskseg.rules.elements import Action

# Values of an attribute beyond these are no cohorts.
_MOST_LEVELS = 25

# What is compared, and the actions that count for it.
MEASURES: Mapping[str, Callable[[Action], bool]] = {
    "contacted": lambda action: action.contact,
    "offered help": lambda action: action.helps,
    "significant action": lambda action: action.significant,
}


class FairnessOfTreatment(Insight[Portfolio, TreatmentByCohort]):
    """On how many of the days on which an account is in arrears something is due for it, by cohort,
    against all other accounts in arrears. An account is in the cohort that it is in on the last
    day; intervals are those of ratios of sums over accounts (Cochran, Sampling Techniques, 1977,
    section 6.3)."""

    name = "fairness"
    question = "Are accounts in arrears treated alike, whoever they are?"
    about = Portfolio
    needs = ("profiled",)

    def answer(self, subject: Portfolio) -> TreatmentByCohort:
        rows = [row for name in subject.cohorts for row in _of_cohort(subject, name)]
        return TreatmentByCohort(cohorts=tuple(rows), compared=tuple(subject.cohorts), least=FEWEST)


FAIRNESS = FairnessOfTreatment()


def _of_cohort(subject: Portfolio, name: str) -> Iterator[CohortTreatment]:
    fact = subject.facts[name]
    if not (fact.kind.is_textual or fact.kind is Kind.BOOLEAN):
        return
    measures = [*MEASURES]
    counted = ", ".join(
        f"count(*) filter (where {_any(subject, measure)}) as m{number}"
        for number, measure in enumerate(measures)
    )
    sums = ", ".join(
        f"sum(m{number}), sum(m{number} * m{number}), sum(m{number} * days)"
        for number in range(len(measures))
    )
    rows = subject.engine.rows(f"""
        with by_account as (
            select coalesce(cast(p.{fact_column(name)} as varchar), 'unknown') as level,
                d.account_id, count(*) as days, {counted}
            from decided_days d
            join profiled p on p.account_id = d.account_id
            where d.balance_overdue > 0
            group by 1, 2
        )
        select level, count(*), sum(days), sum(days * days), {sums}
        from by_account
        group by level
        order by level
    """)
    if not 1 < len(rows) <= _MOST_LEVELS:
        return
    for level, *own in rows:
        sums_here = [float(value) for value in own]
        whole = [sum(float(row[place]) for row in rows) for place in range(1, len(own) + 1)]
        others = [all_ - here for all_, here in zip(whole, sums_here, strict=True)]
        if min(sums_here[0], others[0]) < FEWEST:
            continue
        for number, measure in enumerate(measures):
            here, error_here = _share(sums_here, number)
            there, error_there = _share(others, number)
            reach = NORMAL_95 * math.hypot(error_here, error_there)
            yield CohortTreatment(
                cohort=name,
                level=level,
                measure=measure,
                accounts=int(sums_here[0]),
                here=subject.figure(here),
                elsewhere=subject.figure(there),
                low=subject.figure(here - there - reach),
                high=subject.figure(here - there + reach),
            )


def _share(sums: list[float], number: int) -> tuple[float, float]:
    """The share of days on which something is due, and its standard error by accounts."""
    accounts, days, days_squared = sums[:3]
    due, due_squared, crossed = sums[3 + 3 * number : 6 + 3 * number]
    return ratio_of_sums(
        accounts, days, due, parts=due_squared, crossed=crossed, wholes=days_squared
    )


def _any(subject: Portfolio, measure: str) -> str:
    counts = MEASURES[measure]
    names = [literal(action.name) for action in subject.actions if counts(action)]
    return f"d.action in ({', '.join(names)})" if names else "false"
