"""The table `outcomes`: how accounts came out, beside all that was known of them before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from riskseg.domain.relations import Relation, fact_column, literal
from riskseg.insight.portfolio import Portfolio
from riskseg.insight.portfolio_tables.came_true import known_days
from riskseg.insight.portfolio_tables.receivables import account_days
from riskseg.insight.portfolio_tables.table import PortfolioTable
from riskseg.ledger.accounts import account_rows
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
    """A row for each account of which `outcome_of` is known: account_id, party_id (the account's
    own id where nothing says whose it is), segment, label, 1 where it came true and else 0, and the
    `fact_column` of each of the portfolio's facts less its cohorts, all as of the outcome's day. It
    is made of the tables `came_true` and `received`."""

    name = "outcomes"
    stage = Stage("outcomes", "how accounts came out, and what was known of them before")
    needs_bills = True

    def rows(self, portfolio: Portfolio, session: Session, first: int, last: int) -> str:
        names = open_facts(portfolio)
        outcome = outcome_of(portfolio)
        day = portfolio.as_of if outcome is None else outcome.day
        make_facts(session, names, day, first, last)
        columns = ", ".join(["f.account_no", *(f"f.{fact_column(name)}" for name in names)])
        build(
            portfolio.engine,
            [
                account_days([day], first, last),
                account_rows([], dated=session.ledger.dated),
                Relation("labelled", _labels(portfolio, outcome)),
                Relation("outcome_rows", _ROWS.format(columns=columns), materialized=True),
            ],
        )
        return "select * exclude (account_no) from outcome_rows"


_ROWS = """
        select l.account_id, coalesce(r.party_id, l.account_id) as party_id, l.segment, l.label,
            {columns}
        from labelled l
        join account_ids i on i.account_id = l.account_id
        join facts f on f.account_no = i.account_no
        join snapshots s on s.account_no = i.account_no
        left join account_rows r on r.snap = s.snap
        """


def open_facts(portfolio: Portfolio) -> list[str]:
    """The facts that accounts may be split by: none that treatment is compared by, which are those
    that are protected, protect, or are special categories of personal data."""
    return [name for name in portfolio.facts if name not in portfolio.cohorts]


def _labels(portfolio: Portfolio, outcome: Outcome | None) -> str:
    if outcome is None:
        return """
        select account_id, segment, 0 as label
        from decided_days
        where false
        """
    if outcome.model is not None:
        return f"""
        select account_id, segment, cast(label as integer) as label
        from came_true
        where model = {literal(outcome.model)} and day = date '{outcome.day}'
        """
    return f"""
        select d.account_id, d.segment,
            cast(r.received < d.balance_overdue * {10**portfolio.scale} as integer) as label
        from decided_days d
        join received r on r.account_id = d.account_id and r.day = d.day
        where d.day = date '{outcome.day}' and r.within = {WITHIN} and d.balance_overdue > 0
        """
