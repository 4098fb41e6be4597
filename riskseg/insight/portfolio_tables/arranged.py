"""The tables `promises` and `plans`: what was promised, or agreed to be paid in instalments, in the
last twelve months, and what came of it."""

from __future__ import annotations

from abc import abstractmethod
from datetime import date, timedelta

from riskseg.domain.relations import Relation
from riskseg.insight.portfolio import Portfolio
from riskseg.insight.portfolio_tables.receivables import account_days
from riskseg.insight.portfolio_tables.table import PortfolioTable
from riskseg.ledger.accounts import account_rows
from riskseg.ledger.payments import undone_payments
from riskseg.ledger.plans import plan_states
from riskseg.ledger.promises import promise_outcomes
from riskseg.pipeline.asked import month_ends
from riskseg.pipeline.contracts import build
from riskseg.pipeline.session import Session
from riskseg.pipeline.stages import Stage

# Months that are looked back on, the one of the as-of date included.
MONTHS = 12


def since(as_of: date) -> date:
    """The first day of these months."""
    return month_ends(as_of, MONTHS)[0] + timedelta(days=1)


class Arranged(PortfolioTable):
    """A row for each promise or plan of the last months, as known on the as-of date: account_id,
    party_id (the account's own id where it has no party), segment (the one in which the
    account was decided last before that day; null where it was not), made_on, channel, amount and
    paid in minor units, is_over (whether its last day and the days of grace are over) and outcome:
    open, kept, partly_kept, broken, or ended, where it was cancelled or another took its place."""

    needs = ("bills", "payments")

    @abstractmethod
    def made(self, session: Session) -> tuple[list[Relation], str]:
        """Relations, and a select from them of snap, made_on, last_day (of grace), channel, amount,
        paid and outcome. No relations where the ledger has none of them."""

    def rows(self, portfolio: Portfolio, session: Session, first: int, last: int) -> str:
        ledger, as_of = session.ledger, portfolio.as_of
        relations, made = self.made(session)
        build(
            portfolio.engine,
            [
                account_days([as_of], first, last),
                *([undone_payments()] if ledger.undone else []),
                *relations,
                account_rows([], dated=ledger.dated),
                Relation("made", made),
                Relation("arranged", _arranged(as_of), materialized=True),
            ],
        )
        return "select * from arranged"


def _arranged(as_of: date) -> str:
    return f"""
        select i.account_id,
            coalesce(r.party_id, i.account_id) as party_id,
            d.segment, m.made_on, m.channel,
            cast(m.amount as bigint) as amount,
            cast(m.paid as bigint) as paid,
            m.last_day < s.as_of as is_over,
            m.outcome
        from made m
        join snapshots s on s.snap = m.snap
        join account_ids i on i.account_no = s.account_no
        left join account_rows r on r.snap = m.snap
        asof left join decided_days d on d.account_id = i.account_id and m.made_on > d.day
        where m.made_on >= date '{since(as_of)}'
        """


_NONE = """
        select 1 as snap, cast(null as date) as made_on, cast(null as date) as last_day,
            '' as channel, 0 as amount, 0 as paid, '' as outcome
        where false
        """


class Promised(Arranged):
    """Promises to pay; `paid` is what was paid of one in time."""

    name = "promised"
    stage = Stage("promises", "what came of promises to pay")

    def made(self, session: Session) -> tuple[list[Relation], str]:
        ledger = session.ledger
        if ledger.promise_grace is None:
            return [], _NONE
        relations = promise_outcomes(ledger.promise_grace, reverses=ledger.undone)
        made = f"""
        select snap, made_on, until + {ledger.promise_grace} as last_day, channel, amount, paid,
            case outcome when 'cancelled' then 'ended' else outcome end as outcome
        from promises_made
        """
        return relations, made


class Planned(Arranged):
    """Plans to pay in instalments. `paid` is what was paid of one before it was broken, if it was:
    where that is something, it is partly kept."""

    name = "planned"
    stage = Stage("plans", "what came of plans to pay in instalments")

    def made(self, session: Session) -> tuple[list[Relation], str]:
        money = session.ledger.money
        if money.plans is None:
            return [], _NONE
        relations = plan_states(money.plans, reverses=money.reverses, names_bills=money.names_bills)
        return relations, _plans_made(money.plans.grace)


def _plans_made(grace: int) -> str:
    return f"""
        select x.snap, x.plan_from as made_on, x.until + {grace} as last_day, x.channel, x.amount,
            least(coalesce(d.paid, 0), x.amount) as paid,
            case
                when x.state = 'running' then 'open'
                when x.state = 'kept' or x.ended_as = 'kept' and x.state = 'over' then 'kept'
                when x.state = 'over' then 'ended'
                when d.paid > 0 then 'partly_kept'
                else 'broken'
            end as outcome
        from plan_states x
        left join (
            select q.snap, q.plan_id, max(q.paid) as paid
            from plan_paid q
            join plan_states y on y.snap = q.snap and y.plan_id = q.plan_id
            where y.state <> 'broken' or q.paid_on < y.changed_on
            group by q.snap, q.plan_id
        ) d on d.snap = x.snap and d.plan_id = x.plan_id
        """
