"""The table `outcomes`: how accounts came out, beside all that was known of them before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from riskseg.domain.relations import Relation, fact_column
from riskseg.insight.portfolio import Portfolio
from riskseg.insight.portfolio_tables.came_true import known_days, label
from riskseg.insight.portfolio_tables.received import received
from riskseg.insight.portfolio_tables.table import PortfolioTable
from riskseg.pipeline.contracts import build
from riskseg.pipeline.decisions import make_facts
from riskseg.pipeline.session import Session
from riskseg.pipeline.stages import Stage

# Within how many days what was overdue is to be paid, where no model says what is looked for.
WITHIN = 60


@dataclass(frozen=True)
class Outcome:
    """What is looked for of the accounts of a day: whether what the probability `model` is of came
    true; where it is None, whether what was overdue was not paid in full within `WITHIN` days."""

    day: date
    model: str | None


def outcome_of(portfolio: Portfolio) -> Outcome | None:
    """The outcome of the last day of which it is known by the as-of date: that of the model of
    default, else of another model of the strategy, else what was paid. None where none is known."""
    default_first = sorted(
        portfolio.specs.items(), key=lambda item: item[1].target.event != "default"
    )
    for name, spec in default_first:
        if days := known_days(portfolio, spec):
            return Outcome(days[-1], name)
    until = portfolio.as_of - timedelta(days=WITHIN)
    paid = [decided.day for decided in portfolio.days if decided.day <= until]
    return Outcome(paid[-1], None) if paid else None


class Outcomes(PortfolioTable):
    """A row for each account of which `outcome_of` is known: account_id, party_id, segment, label,
    1 where it came true and else 0, and the `fact_column` of each of `open_facts`, all as of the
    outcome's day."""

    name = "outcomes"
    stage = Stage("outcomes", "how accounts came out, and what was known of them before")
    needs = ("bills", "payments")

    def rows(self, portfolio: Portfolio, session: Session, first: int, last: int) -> str:
        names, outcome = open_facts(portfolio), outcome_of(portfolio)
        labels = _labels(portfolio, session, outcome, first, last)
        build(portfolio.engine, [Relation("outcome_labels", labels, materialized=True)])
        day = portfolio.as_of if outcome is None else outcome.day
        make_facts(session, names, day, first, last)
        columns = "".join(f", f.{fact_column(name)}" for name in names)
        return f"""
        select d.account_id, d.party_id, d.segment, l.label{columns}
        from outcome_labels l
        join decided_days d on d.account_id = l.account_id and d.day = date '{day}'
        join account_ids i on i.account_id = d.account_id
        join facts f on f.account_no = i.account_no
        """


def open_facts(portfolio: Portfolio) -> list[str]:
    """The facts that accounts may be split by: none that treatment is compared by, which are those
    that are protected, protect, or are special categories of personal data."""
    return [name for name in portfolio.facts if name not in portfolio.cohorts]


def _labels(
    portfolio: Portfolio, session: Session, outcome: Outcome | None, first: int, last: int
) -> str:
    """A select of account_id and label, of a range of accounts."""
    if outcome is None:
        return "select cast(null as varchar) as account_id, 0 as label where false"
    if outcome.model is not None:
        label(portfolio, session, outcome.model, [outcome.day], (first, last), "came_true_then")
        return "select account_id, cast(label as integer) as label from came_true_then"
    ends = outcome.day + timedelta(days=WITHIN)
    looked_at = [(outcome.day, 0, outcome.day), (outcome.day, WITHIN, ends)]
    overdue = f"d.balance_overdue * {10**portfolio.scale}"
    return f"""
        select d.account_id, cast(r.received < {overdue} as integer) as label
        from decided_days d
        join ({received(session, looked_at, first, last)}) r
            on r.account_id = d.account_id and r.day = d.day
        where d.balance_overdue > 0
        """
