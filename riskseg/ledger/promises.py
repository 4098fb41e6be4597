"""What came of promises to pay: open, kept, kept in part or broken, as of any dates.

A promise is an event with an `amount` and the day `until` which it is to be paid. Payments from
the day it was made on pay the account's promises, the oldest first; what is paid while nothing is
promised carries over to no later promise. A promise is kept on the day on which all of it is paid.
If that is not so when `grace` days after its last day are over, it is broken, or kept in part. A
promise made after all earlier ones have run out owes nothing to these.

With promises laid end to end and payments in the order of their days, what is promised and unpaid
is a queue: it is the sum of promises less payments, less the least that this sum ever was, or 0.
"""

from __future__ import annotations

from riskseg.domain.relations import Relation, literal
from riskseg.ledger.payments import standing_payment

# Words of a source, or of a person, for what came of a promise; theirs comes before ours.
SETTLED = ("kept", "partly_kept", "broken", "cancelled")


def promise_outcomes(grace: int, *, reverses: bool) -> list[Relation]:
    """Relations that end in `promise_outcomes` (snap, as_of, happened_on, kind, channel, outcome,
    amount_minor, until, ref), an event for each promise of which nothing else says what came of it,
    and `promise_spans` (snap, as_of, first_day, last_day), the days at whose close each was open.

    `promises_made` (snap, account_no, made_on, until, channel, ref, amount, paid, outcome) has
    every promise once, whoever says what came of it; `paid` is what was paid of it in time.

    Its outcome is `open` (happened on the day the promise was made), `kept` (on the day it was),
    `partly_kept` or `broken` (on the day after its grace). Reads `ledger_events`,
    `ledger_payments`, `snapshots` and, where payments are taken back (`reverses`), `undone`.
    """
    return [
        _PROMISES_SETTLED,
        _promises(grace),
        _PROMISES_IN_TURN,
        _PROMISES_LAID,
        _money_promised(reverses),
        _PROMISE_QUEUE,
        _PROMISES_PAID,
        _PROMISES_MADE,
        _PROMISE_SPANS,
        _PROMISE_OUTCOMES,
    ]


_SETTLED = ", ".join(map(literal, SETTLED))
# The promises, by their `ref`, of which an event says what came of them, and since when.
_PROMISES_SETTLED = Relation(
    "promises_settled",
    f"""
    select s.snap, e.ref,
        min(e.happened_on) as settled_on,
        max_by(e.outcome, (e.happened_on, e.outcome)) as settled_as
    from ledger_events e
    join snapshots s on s.account_no = e.account_no and e.known_on <= s.as_of
    where e.kind = 'promise'
        and e.outcome in ({_SETTLED})
        and e.ref is not null
    group by s.snap, e.ref
    """,
)


def _promises(grace: int) -> Relation:
    """`promises`: each promise, in its place among those of its account. From `settled_on` an event
    says what came of it, its own or another; it takes its share of payments all the same."""
    return Relation(
        "promises",
        f"""
        select s.snap, s.account_no, s.as_of, e.happened_on as made_on, e.until, e.channel, e.ref,
            e.amount_minor as amount,
            e.until + {grace} as last_day,
            case when e.outcome in ({_SETTLED}) then e.happened_on else d.settled_on end
                as settled_on,
            case when e.outcome in ({_SETTLED}) then e.outcome else d.settled_as end as settled_as,
            row_number() over (
                partition by s.snap
                order by e.happened_on, e.until, e.amount_minor, e.outcome, e.ref
            ) as number
        from ledger_events e
        join snapshots s on s.account_no = e.account_no and e.known_on <= s.as_of
        left join promises_settled d on d.snap = s.snap and d.ref = e.ref
        where e.kind = 'promise'
            and e.amount_minor > 0
            and e.until is not null
        """,
    )


# `run` numbers the stretches of time in which one promise followed another without a gap.
_PROMISES_IN_TURN = Relation(
    "promises_in_turn",
    """
    select *,
        count(*) filter (where ran_out) over (partition by snap order by number) as run
    from (
        select *,
            coalesce(
                made_on > max(last_day) over (
                    partition by snap
                    order by number
                    rows between unbounded preceding and 1 preceding
                ),
                true
            ) as ran_out
        from promises
    ) p
    """,
)
_PROMISES_LAID = Relation(
    "promises_laid",
    """
    select *,
        cast(sum(amount) over (partition by snap, run order by number) as bigint) as far_end,
        min(made_on) over (partition by snap, run) as run_from,
        max(last_day) over (partition by snap, run) as run_to
    from promises_in_turn
    """,
    materialized=True,
)


def _money_promised(reverses: bool) -> Relation:
    """`money_promised`: the payments made in each run, less what was taken back of them."""
    payment = standing_payment(reverses, snapshot="r")
    return Relation(
        "money_promised",
        f"""
        select r.snap, r.run, p.paid_on,
            cast(sum({payment.amount}) as bigint) as amount
        from (select distinct snap, account_no, as_of, run, run_from, run_to from promises_laid) r
        join ledger_payments p
            on p.account_no = r.account_no
            and p.known_on <= r.as_of
            and p.paid_on between r.run_from and r.run_to
        {payment.join}
        where {payment.condition}
        group by r.snap, r.run, p.paid_on
        """,
    )


# Day by day, what was promised and what was paid; `paid` is how much of what was promised so far
# is paid. Of a day, what was promised comes first.
_PROMISE_QUEUE = Relation(
    "promise_queue",
    """
    select snap, run, day,
        promised - (unpaid - least(min(unpaid) over so_far, 0)) as paid
    from (
        select snap, run, day, is_payment,
            sum(promised) over in_turn as promised,
            sum(promised - paid) over in_turn as unpaid
        from (
            select snap, run, made_on as day, false as is_payment,
                sum(amount) as promised,
                0 as paid
            from promises_laid
            group by snap, run, made_on
            union all
            select snap, run, paid_on, true, 0, amount
            from money_promised
        ) m
        window in_turn as (
            partition by snap, run order by day, is_payment rows unbounded preceding
        )
    ) q
    window so_far as (partition by snap, run order by day, is_payment rows unbounded preceding)
    """,
    materialized=True,
)
_PROMISES_PAID = Relation(
    "promises_paid",
    """
    select p.snap, p.number,
        max(q.paid) as paid,
        min(q.day) filter (where q.paid >= p.far_end) as kept_on
    from promises_laid p
    join promise_queue q on q.snap = p.snap and q.run = p.run and q.day <= p.last_day
    group by p.snap, p.number
    """,
)
_CAME_OF = """case
            when d.kept_on is not null then 'kept'
            when p.last_day >= p.as_of then 'open'
            when d.paid > p.far_end - p.amount then 'partly_kept'
            else 'broken'
        end"""
_PROMISE_OUTCOMES = Relation(
    "promise_outcomes",
    f"""
    select p.snap, p.as_of,
        case
            when d.kept_on is not null then d.kept_on
            when p.last_day >= p.as_of then p.made_on
            else p.last_day + 1
        end as happened_on,
        'promise' as kind,
        p.channel,
        {_CAME_OF} as outcome,
        p.amount as amount_minor,
        p.until,
        p.ref
    from promises_laid p
    join promises_paid d on d.snap = p.snap and d.number = p.number
    where p.settled_on is null
    """,
)
_PROMISE_SPANS = Relation(
    "promise_spans",
    """
    select p.snap, p.as_of,
        p.made_on as first_day,
        least(d.kept_on - 1, p.settled_on - 1, p.last_day, p.as_of) as last_day
    from promises_laid p
    join promises_paid d on d.snap = p.snap and d.number = p.number
    """,
)
# A source may say of one promise, by its `ref`, that it was made and that it was kept, both times
# with the amount. What came of it is what was said last.
_PROMISES_MADE = Relation(
    "promises_made",
    f"""
    select p.snap, p.account_no, p.made_on, p.until, p.channel, p.ref, p.amount,
        least(greatest(d.paid - (p.far_end - p.amount), 0), p.amount) as paid,
        coalesce(p.settled_as, {_CAME_OF}) as outcome
    from promises_laid p
    join promises_paid d on d.snap = p.snap and d.number = p.number
    qualify p.ref is null or row_number() over (partition by p.snap, p.ref order by p.number) = 1
    """,
)
