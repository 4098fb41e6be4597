"""Disputes: which are open as of any dates, and what of each bill they take out of what is owed.

A dispute is an event on a bill (`bill_id`), of an `amount` of it or of the whole bill; where no
bill is named, of an amount of what was billed by then, or of all of it. It is open from the day it
was raised until an event of the same dispute says what came of it, or until its last day, `until`.
Events are of the same dispute that have the same `ref`, or without one the same bill; the last that
names an amount says what is disputed. One that was answered can be raised again.

While it is open, what is disputed is not owed. If it was `upheld` that stays so, as far as it was;
if it was `rejected`, or has `ended`, the bill is owed as if there had been no dispute. Payments
that name the bill pay it as ever; other money pays what is not in dispute.
"""

from __future__ import annotations

from riskseg.domain.relations import Relation, literal
from riskseg.ledger.contract import ENDED

UPHELD, REJECTED = "upheld", "rejected"
# What can come of a dispute, in a source's words or a person's; of one day the last counts.
ANSWERS = (REJECTED, UPHELD, ENDED)


def dispute_states() -> list[Relation]:
    """Relations that end in `dispute_states` (snap, account_no, as_of, bill_id, channel, until,
    raised_on, state, changed_on, last_day, amount) and `dispute_outcomes`, events like those of
    the source, one for each dispute; and in `dispute_spans` (snap, as_of, first_day, last_day), the
    days at whose close each was open.

    `state` is `open` or an answer, `changed_on` the day since when; `last_day` the last day on
    which the dispute was open, up to the as-of date; `amount` is null for the whole. They read
    `ledger_events` and `snapshots`.
    """
    return [
        _DISPUTES_TOLD,
        _DISPUTES_IN_TURN,
        _DISPUTES,
        _DISPUTE_STATES,
        _DISPUTE_OUTCOMES,
        _DISPUTE_SPANS,
    ]


def bill_disputes(*, readable_ids: bool) -> list[Relation]:
    """`bill_disputes` (snap, bill_id, in_dispute, upheld), what is disputed of each bill that a
    dispute is about, and `unnamed_disputes` (snap, raised_on, in_dispute, upheld), amounts of which
    no bill is named. `readable_ids` says that ids of bills are kept as texts and not as hashes.
    They read `dispute_states` and `ledger_bills`."""
    named = "d.bill_id" if readable_ids else "hash(d.bill_id)"
    return [
        Relation(
            "bill_disputes",
            f"""
            select d.snap, b.bill_id,
                {_sums("coalesce(d.amount, b.amount_minor)")}
            from dispute_states d
            join ledger_bills b on b.account_no = d.account_no
            where d.state in ('open', {literal(UPHELD)})
                and b.amount_minor > 0
                and (
                    b.bill_id = {named}
                    or (d.bill_id is null and d.amount is null and b.issued_on <= d.raised_on)
                )
            group by d.snap, b.bill_id
            """,
            materialized=True,
        ),
        Relation(
            "unnamed_disputes",
            f"""
            select d.snap,
                max(d.raised_on) as raised_on,
                {_sums("d.amount")}
            from dispute_states d
            where d.state in ('open', {literal(UPHELD)})
                and d.bill_id is null
                and d.amount is not null
            group by d.snap
            """,
            materialized=True,
        ),
    ]


def _sums(amount: str) -> str:
    """What is in dispute, and what was found not to be owed."""
    return f"""
                cast(coalesce(sum({amount}) filter (where d.state = 'open'), 0) as bigint)
                    as in_dispute,
                cast(coalesce(sum({amount}) filter (where d.state <> 'open'), 0) as bigint)
                    as upheld"""


# Each event of a dispute: `answer` is what it says came of it, if anything; `dispute` names it.
_DISPUTES_TOLD = Relation(
    "disputes_raised",
    f"""
    select s.snap, s.account_no, s.as_of, e.happened_on, e.known_on, e.channel, e.until, e.bill_id,
        coalesce(e.ref, e.bill_id, '') as dispute,
        case when e.outcome in ({", ".join(map(literal, ANSWERS))}) then e.outcome end as answer,
        list_position([{", ".join(map(literal, ANSWERS))}], e.outcome) as answer_rank,
        case when e.amount_minor > 0 then e.amount_minor end as amount
    from ledger_events e
    join snapshots s on s.account_no = e.account_no and e.known_on <= s.as_of
    where e.kind = 'dispute'
    """,
)
# `time` numbers the times that a dispute was raised: raised again after an answer, it is another.
_DISPUTES_IN_TURN = Relation(
    "disputes_in_turn",
    """
    select *,
        max(case when answer is null then answers end) over in_turn as time
    from (
        select *,
            count(answer) over in_turn as answers
        from disputes_raised
        window in_turn as (
            partition by snap, dispute
            order by happened_on, answer is not null, known_on, answer, amount
            rows unbounded preceding
        )
    ) d
    window in_turn as (
        partition by snap, dispute
        order by happened_on, answer is not null, known_on, answer, amount
        rows unbounded preceding
    )
    """,
)
_DISPUTES = Relation(
    "disputes",
    """
    select snap, account_no, as_of,
        arg_max(bill_id, (happened_on, known_on, bill_id)) as bill_id,
        arg_max(channel, (happened_on, known_on, channel)) as channel,
        arg_max(until, (happened_on, known_on, until)) filter (where answer is null) as until,
        min(happened_on) as raised_on,
        min(happened_on) filter (where answer is not null) as answered_on,
        max(happened_on) filter (where answer is not null) as decided_on,
        arg_max(answer, (happened_on, known_on, answer_rank)) as answer,
        arg_max(amount, (happened_on, known_on, amount)) filter (where answer is null) as amount,
        arg_max_null(amount, (happened_on, known_on, answer_rank)) filter (where answer is not null)
            as amount_decided
    from disputes_in_turn
    group by snap, account_no, as_of, dispute, time
    """,
)
_DISPUTE_STATES = Relation(
    "dispute_states",
    f"""
    select snap, account_no, as_of, bill_id, channel, until, raised_on,
        coalesce(answer, case when until < as_of then {literal(ENDED)} else 'open' end) as state,
        coalesce(
            decided_on, case when until < as_of then until + 1 else raised_on end
        ) as changed_on,
        least(answered_on - 1, until, as_of) as last_day,
        case
            when answer = {literal(UPHELD)} then coalesce(amount_decided, amount)
            else amount
        end as amount
    from disputes
    """,
    materialized=True,
)
_DISPUTE_OUTCOMES = Relation(
    "dispute_outcomes",
    """
    select snap, as_of, changed_on as happened_on,
        'dispute' as kind,
        channel,
        state as outcome,
        amount as amount_minor,
        until
    from dispute_states
    """,
)
_DISPUTE_SPANS = Relation(
    "dispute_spans",
    """
    select snap, as_of,
        raised_on as first_day,
        last_day
    from dispute_states
    """,
)
