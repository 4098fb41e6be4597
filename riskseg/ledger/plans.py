"""Plans to pay in instalments: whether they are kept, as of any dates, and what that does to bills.

A plan is its instalments, under one `plan_id`. It runs from the day it was agreed (an event `plan`
whose `ref` is the plan; else the day its instalments were recorded, else the first due date) and
covers the bills that were due by then. It is kept while, by each instalment's due date and `grace`
days, as much was paid since it began as was due; else it is broken on the day after. A plan is over
once all of it is paid, when an event says so, or when a new one begins.

A bill that is covered by a plan that is kept is not overdue and does not age. When the plan is
broken the bill is as old as if there had been no plan or, where plans `re_age`, as old as the
break.
"""

from __future__ import annotations

from dataclasses import dataclass

from riskseg.domain.relations import Relation
from riskseg.ledger.payments import standing_payment


@dataclass(frozen=True, slots=True)
class Plans:
    """What a workspace says of plans: days of grace, and whether a broken one leaves its bills
    as young as the break."""

    grace: int
    re_age: bool


def plan_states(plans: Plans, *, reverses: bool, names_bills: bool) -> list[Relation]:
    """Relations that end in `plan_states` (snap, account_no, as_of, plan_id, plan_from, until,
    channel, amount, next_from, reported, ended_as, state, changed_on), `covers` (snap, plan_from,
    is_kept, re_aged_to), a row for each snapshot whose latest plan says something of its bills, and
    `plan_outcomes`, events like those of the source.

    `plan_spans` (snap, as_of, first_day, last_day) are the days at whose close a plan was kept.
    `plan_paid` (snap, plan_id, paid_on, paid) is what was paid of a plan by the close of a day.

    `reported` says that an event of the source says what came of the plan. `state` is `running`,
    `kept`, `broken` or `over`; `changed_on` the day since when. `ended_as` is what the source says
    of one that is over, if it says so. They read `ledger_instalments`,
    `ledger_events`, `ledger_payments`, `snapshots` and, where payments are taken back
    (`reverses`), `undone`; `ledger_bills` where payments name bills.
    """
    return [
        _PLAN_INSTALMENTS,
        _PLANS_REPORTED,
        _PLANS,
        _plan_payments(reverses=reverses, names_bills=names_bills),
        _PLAN_PAID,
        _plan_instalments_met(plans.grace),
        _plan_states(plans.grace),
        _covers(plans),
        _PLAN_OUTCOMES,
        _PLAN_SPANS,
    ]


_PLAN_INSTALMENTS = Relation(
    "plan_instalments",
    """
    select s.snap, s.account_no, s.as_of, i.plan_id, i.due_on, i.amount_minor, i.recorded_on,
        sum(i.amount_minor) over (
            partition by s.snap, i.plan_id order by i.due_on, i.amount_minor
            rows unbounded preceding
        ) as expected
    from ledger_instalments i
    join snapshots s on s.account_no = i.account_no
    where coalesce(i.recorded_on, s.as_of) <= s.as_of
    """,
    materialized=True,
)
# What events say of plans: since when each runs, and when it was broken or came to its end.
_PLANS_REPORTED = Relation(
    "plans_reported",
    """
    select s.snap, e.ref as plan_id,
        min(e.happened_on) filter (
            where coalesce(e.outcome, '') not in ('broken', 'kept', 'cancelled', 'ended')
        ) as agreed_on,
        min(e.happened_on) filter (where e.outcome = 'broken') as broken_on,
        min(e.happened_on) filter (where e.outcome in ('kept', 'cancelled', 'ended')) as ended_on,
        min_by(e.outcome, (e.happened_on, e.outcome)) filter (
            where e.outcome in ('kept', 'cancelled', 'ended')
        ) as ended_as,
        min(e.channel) as channel
    from ledger_events e
    join snapshots s on s.account_no = e.account_no and e.known_on <= s.as_of
    where e.kind = 'plan'
        and e.ref is not null
    group by s.snap, e.ref
    """,
)
_PLANS = Relation(
    "plans",
    """
    select *,
        lead(plan_from) over (partition by snap order by plan_from, plan_id) as next_from
    from (
        select i.snap, i.account_no, i.as_of, i.plan_id,
            coalesce(least(any_value(t.agreed_on), min(i.recorded_on)), min(i.due_on))
                as plan_from,
            max(i.due_on) as until,
            sum(i.amount_minor) as amount,
            any_value(t.broken_on) as reported_broken_on,
            any_value(t.ended_on) as reported_ended_on,
            any_value(t.ended_as) as ended_as,
            any_value(t.channel) as channel
        from plan_instalments i
        left join plans_reported t on t.snap = i.snap and t.plan_id = i.plan_id
        group by i.snap, i.account_no, i.as_of, i.plan_id
    ) p
    where plan_from <= as_of
    """,
    materialized=True,
)


def _plan_payments(*, reverses: bool, names_bills: bool) -> Relation:
    """`plan_payments`: what was paid on each day of a plan, less what was taken back. A payment
    that names a bill which the plan does not cover is none of the plan's."""
    payment = standing_payment(reverses, snapshot="x")
    named, is_covered = "", "true"
    if names_bills:
        named = "left join ledger_bills b on b.account_no = p.account_no and b.bill_id = p.bill_id"
        is_covered = "coalesce(b.due_on <= x.plan_from, true)"
    return Relation(
        "plan_payments",
        f"""
        select x.snap, x.plan_id, p.paid_on,
            sum({payment.amount}) as amount
        from plans x
        join ledger_payments p
            on p.account_no = x.account_no
            and p.known_on <= x.as_of
            and p.paid_on >= x.plan_from
            and p.paid_on < coalesce(x.next_from, x.as_of + 1)
        {payment.join}
        {named}
        where {payment.condition}
            and {is_covered}
        group by x.snap, x.plan_id, p.paid_on
        """,
    )


_PLAN_PAID = Relation(
    "plan_paid",
    """
    select snap, plan_id, paid_on,
        sum(amount) over (
            partition by snap, plan_id order by paid_on rows unbounded preceding
        ) as paid
    from plan_payments
    """,
    materialized=True,
)


def _plan_instalments_met(grace: int) -> Relation:
    """`plan_instalments_met`: each instalment whose last day is over, and whether it was missed."""
    return Relation(
        "plan_instalments_met",
        f"""
        select i.snap, i.as_of, i.plan_id, i.due_on, i.amount_minor,
            i.due_on + {grace} + 1 as over_on,
            coalesce(max(q.paid), 0) < i.expected as missed
        from plan_instalments i
        join plans x on x.snap = i.snap and x.plan_id = i.plan_id
        left join plan_paid q
            on q.snap = i.snap and q.plan_id = i.plan_id and q.paid_on <= i.due_on + {grace}
        where i.due_on + {grace} < least(i.as_of, x.next_from, x.reported_ended_on)
        group by i.snap, i.as_of, i.plan_id, i.due_on, i.amount_minor, i.expected
        """,
        materialized=True,
    )


def _plan_states(grace: int) -> Relation:
    return Relation(
        "plan_states",
        f"""
        select snap, account_no, as_of, plan_id, plan_from, until, channel, amount, next_from,
            ended_as,
            reported_broken_on is not null or reported_ended_on is not null as reported,
            case
                when broken_on is not null then 'broken'
                when reported_ended_on is not null then 'over'
                when paid_on is not null then 'kept'
                when next_from is not null then 'over'
                else 'running'
            end as state,
            coalesce(broken_on, reported_ended_on, paid_on, next_from, plan_from) as changed_on
        from (
            select x.*, d.paid_on,
                least(m.missed_on, x.reported_broken_on) as broken_on
            from plans x
            left join (
                select snap, plan_id, min(over_on) as missed_on
                from plan_instalments_met
                where missed
                group by snap, plan_id
            ) m on m.snap = x.snap and m.plan_id = x.plan_id
            left join (
                select q.snap, q.plan_id, min(q.paid_on) as paid_on
                from plan_paid q
                join plans x on x.snap = q.snap and x.plan_id = q.plan_id and q.paid >= x.amount
                where q.paid_on <= x.until + {grace}
                group by q.snap, q.plan_id
            ) d on d.snap = x.snap and d.plan_id = x.plan_id
        ) p
        """,
        materialized=True,
    )


def _covers(plans: Plans) -> Relation:
    """`covers`: a plan that is kept leaves the bills it covers young; one that is broken and
    re-ages makes them as young as the break. Only the latest plan of an account counts."""
    re_aged_to = "changed_on - 1" if plans.re_age else "cast(null as date)"
    return Relation(
        "covers",
        f"""
        select snap, plan_from,
            state = 'running' as is_kept,
            case when state = 'broken' then {re_aged_to} end as re_aged_to
        from plan_states
        where next_from is null
            and state in ('running', 'broken')
        """,
        materialized=True,
    )


_PLAN_SPANS = Relation(
    "plan_spans",
    """
    select snap, as_of,
        plan_from as first_day,
        case when state = 'running' then as_of else changed_on - 1 end as last_day
    from plan_states
    """,
)
_PLAN_OUTCOMES = Relation(
    "plan_outcomes",
    """
    select snap, as_of, changed_on as happened_on,
        'plan' as kind,
        cast(null as varchar) as channel,
        state as outcome,
        cast(amount as bigint) as amount_minor,
        until,
        plan_id as ref
    from plan_states
    where state <> 'over'
        and not reported
    union all
    select snap, as_of, over_on, 'instalment', cast(null as varchar), 'missed', amount_minor,
        due_on, plan_id
    from plan_instalments_met
    where missed
    """,
)
