"""The table `followed`: the actions that were issued, and what followed each of them."""

from __future__ import annotations

from datetime import date, timedelta

from riskseg.domain.relations import Relation, literal
from riskseg.insight.portfolio import Portfolio
from riskseg.insight.portfolio_tables.table import PortfolioTable
from riskseg.ledger.accounts import account_rows
from riskseg.ledger.allocation import bill_facts
from riskseg.ledger.payments import standing_payment
from riskseg.pipeline.contracts import build
from riskseg.pipeline.session import Session
from riskseg.pipeline.stages import Stage
from riskseg.treatment.episodes import episode_spans
from riskseg.treatment.outcomes import OUTCOMES

# Days after an action in which what happens is looked at, and days of actions that are.
WITHIN, LOOKED_BACK = 30, 365


def issued_between(portfolio: Portfolio) -> tuple[date, date]:
    """The first and the last day of actions that are looked at: a year of those of which it is
    known by the as-of date what followed."""
    last = portfolio.as_of - timedelta(days=WITHIN)
    return last - timedelta(days=LOOKED_BACK - 1), last


class Followed(PortfolioTable):
    """A row for each issued action and account that it was for: action_id (shared by the accounts
    of a party that one action was for, of which `is_first` is the one that it names), account_id,
    party_id, issued_on, segment, strategy, path, step, action; answered, reached, promised and
    refused, of the outcomes that were recorded of it; overdue, whether anything was on the day of
    the action; and what followed: paid (in minor units, at most what was overdue), complaints, and
    cured_after (days until the account was out of arrears; null where it was not, or was in none).

    Anything follows the last action before it, and that for `WITHIN` days at most, so that all
    that followed adds up. An action is issued at the close of its day.
    """

    name = "followed"
    stage = Stage("actions", "what followed each action that was issued")
    needs = ("bills", "payments")

    def rows(self, portfolio: Portfolio, session: Session, first: int, last: int) -> str:
        money, engine = session.ledger.money, session.engine
        engine.run(_looked_at(portfolio, first, last))
        # What was overdue at the close of the day of each action, as it was known then.
        # An account has few actions in a year: to set apart what is over would take longer.
        overdue = bill_facts(money, keep_days=0, spans=False)
        build(engine, [_SNAPSHOTS_OF_ACTIONS, *overdue, _OVERDUE])
        build(
            engine,
            [
                _snapshots_of_accounts(portfolio.as_of),
                *bill_facts(money),
                # Bills that a kept plan covers are in none of these.
                *episode_spans(plans=False),
                _paid(reverses=money.reverses),
                _COMPLAINTS,
                _outcomes(portfolio.as_of),
                account_rows([], dated=session.ledger.dated),
                Relation("followed_rows", _FOLLOWED, materialized=True),
            ],
        )
        return "select * from followed_rows"


def _looked_at(portfolio: Portfolio, first: int, last: int) -> str:
    """The statement that makes `looked_at`: the actions of the accounts of a range, numbered, each
    with the last day on which something follows it."""
    as_of, (since, until) = portfolio.as_of, issued_between(portfolio)
    return f"""
        create or replace temp table looked_at as
        select *
        from (
            select cast(row_number() over (order by account_no, happened_on, event_id) as integer)
                    as number,
                account_no, happened_on as issued_on,
                coalesce(ref, event_id) as action_id,
                ref is null as is_first,
                segment, strategy, path, split_part(step, '~', 1) as step, action,
                least(
                    happened_on + {WITHIN},
                    lead(happened_on) over (partition by account_no order by happened_on, event_id)
                ) as until
            from journal_events
            where kind = 'action'
                and happened_on <= date '{as_of}'
                and recorded_on <= date '{as_of}'
                and account_no between {first} and {last}
        )
        where issued_on between date '{since}' and date '{until}'
        """


_SNAPSHOTS_OF_ACTIONS = Relation(
    "snapshots",
    "select number as snap, account_no, issued_on as as_of from looked_at",
    materialized=True,
)

_OVERDUE = Relation("overdue_then", "select snap as number, overdue from totals", materialized=True)


def _snapshots_of_accounts(as_of: date) -> Relation:
    select = f"select distinct account_no as snap, account_no, date '{as_of}' as as_of"
    return Relation("snapshots", f"{select} from looked_at", materialized=True)


def _paid(*, reverses: bool) -> Relation:
    """`paid_after` (number, paid): what was paid after each action, and stands."""
    payment = standing_payment(reverses, snapshot="s")
    return Relation(
        "paid_after",
        f"""
        select l.number, sum({payment.amount}) as paid
        from looked_at l
        join snapshots s on s.account_no = l.account_no
        join ledger_payments p
            on p.account_no = l.account_no
            and p.known_on <= s.as_of
            and p.paid_on > l.issued_on
            and p.paid_on <= l.until
        {payment.join}
        where {payment.condition} and not p.refund
        group by l.number
        """,
        materialized=True,
    )


_COMPLAINTS = Relation(
    "complaints_after",
    """
    select l.number, count(*) as complaints
    from looked_at l
    join snapshots s on s.account_no = l.account_no
    join ledger_events e
        on e.account_no = l.account_no
        and e.known_on <= s.as_of
        and e.happened_on > l.issued_on
        and e.happened_on <= l.until
    where e.kind = 'complaint'
    group by l.number
    """,
)


def _outcomes(as_of: date) -> Relation:
    """`outcomes_of_actions` (action_id, reached, promised, refused), for actions of which any
    outcome was recorded."""
    spoken = ", ".join(literal(word) for word, (_, spoken) in OUTCOMES.items() if spoken)
    return Relation(
        "outcomes_of_actions",
        f"""
        select ref as action_id,
            bool_or(outcome in ({spoken})) as reached,
            bool_or(outcome = 'promise') as promised,
            bool_or(outcome = 'refused') as refused
        from journal_events
        where kind = 'outcome'
            and happened_on <= date '{as_of}'
            and recorded_on <= date '{as_of}'
        group by ref
        """,
    )


_FOLLOWED = """
        select l.action_id, l.is_first, i.account_id,
            coalesce(a.party_id, i.account_id) as party_id,
            l.issued_on,
            coalesce(l.segment, 'not recorded') as segment,
            coalesce(l.strategy, 'not recorded') as strategy,
            l.path, l.step, l.action,
            o.action_id is not null as answered,
            coalesce(o.reached, false) as reached,
            coalesce(o.promised, false) as promised,
            coalesce(o.refused, false) as refused,
            t.overdue > 0 as overdue,
            cast(least(coalesce(p.paid, 0), greatest(t.overdue, 0)) as bigint) as paid,
            coalesce(c.complaints, 0) as complaints,
            cast(e.ended_on - l.issued_on as integer) as cured_after
        from looked_at l
        join account_ids i on i.account_no = l.account_no
        join overdue_then t on t.number = l.number
        left join account_rows a on a.snap = l.account_no
        left join outcomes_of_actions o on o.action_id = l.action_id
        left join paid_after p on p.number = l.number
        left join complaints_after c on c.number = l.number
        left join episode_spans e
            on e.snap = l.account_no
            and e.started_on <= l.issued_on
            and e.ended_on > l.issued_on
            and e.ended_on <= l.until
        """
