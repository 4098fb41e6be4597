"""When each bill was cleared: the day of the first money that reaches its far end.

Bills wait for marks on the line that the account's money makes, laid end to end. A bill is cleared
by the money that reaches its mark first.
"""

from __future__ import annotations

from riskseg.domain.definitions import days_past_due_sql
from riskseg.domain.relations import Relation
from riskseg.ledger.money import Money, past_due_sql


def clearing(money: Money, keep_days: int | None, name: str) -> list[Relation]:
    """From bills and pool laid end to end (`billed`, `laid_pool`) to the day on which each bill was
    cleared: the relation `name`, as `bill_facts` is declared. Bills that fell due more than
    `keep_days` ago are dropped, unless they are not owed in full or something of the account is
    overdue."""
    # What a refund takes is laid among the bills, and is none.
    is_bill = "bill_id is not null" if money.refunds else "true"
    bills_asked_for = f"select * from billed where {is_bill}"
    if keep_days is not None:
        beside = " or b.plan_from is not null" if money.plans else ""
        if money.disputes or money.raises_disputes:
            # What was found not to be owed is in dispute no more.
            paid = "+ b.named_paid" if money.names_bills else ""
            beside += f" or b.disputed > 0 or b.residual {paid} < b.amount_minor"
        bills_asked_for = f"""
        select b.*
        from billed b
        join totals t on t.snap = b.snap
        where (b.due_on >= b.as_of - {keep_days} or t.overdue > 0{beside}) and {is_bill}
        """
    # Less than `arrears_from` is no arrear: a bill is cleared one minor unit past that.
    slack = max(money.arrears_from - 1, 0)
    # What the pool must reach for a bill to be cleared; null where it need not reach anything, as
    # the bill is paid by name or too little is owed through it.
    marked_bills = f"""
        select *,
            case when {money.residual} > 0 and far_end > {slack} then far_end - {slack} end as mark
        from bills_asked_for
        """
    unpaid = f"{money.residual} - pool_paid"
    return [
        Relation("bills_asked_for", bills_asked_for),
        Relation("marked_bills", marked_bills),
        _cleared(money),
        *([Relation("re_aged", f"select {RE_AGED} from cleared")] if money.plans else []),
        Relation(
            name,
            f"""
            select snap, as_of, bill_id, issued_on, due_on, amount_minor,
                least({money.in_dispute}, amount_minor) as disputed,
                {money.named_paid} + pool_paid as paid,
                cleared_on,
                {unpaid} as unpaid,
                case when {past_due_sql(money)} then {unpaid} else 0 end as overdue,
                {late_days_sql(money)} as days_past_due
            from {"re_aged" if money.plans else "cleared"}
            """,
            materialized=True,
        ),
    ]


def plan_columns(money: Money, bill: str) -> str:
    """What a plan says of a bill, from `covers` c: since when a plan that is kept covers it, to
    which day one that was broken puts its due date, and when the plan was agreed."""
    if not money.plans:
        return ""
    return f""",
            case when c.is_kept and {bill}.due_on <= c.plan_from then c.plan_from end as plan_from,
            case when {bill}.due_on <= c.plan_from then c.re_aged_to end as re_aged_to,
            c.plan_from as agreed_on"""


def late_days_sql(money: Money) -> str:
    """How late a bill is or was. One that a plan covers grows no older than it was when the plan
    began, and is not past due while it waits."""
    if not money.plans:
        return days_past_due_sql()
    return f"""case
                    when plan_from is null then {days_past_due_sql()}
                    when cleared_on is null then 0
                    else greatest(least(cleared_on, plan_from) - due_on, 0)
                end"""


# A bill that was open when a plan was agreed which was broken falls due anew, where plans re-age.
RE_AGED = """* replace (
        case
            when coalesce(cleared_on > agreed_on, true) then greatest(due_on, re_aged_to)
            else due_on
        end as due_on
    )"""


def _cleared(money: Money) -> Relation:
    named_on = "b.named_on, " if money.names_bills else ""
    # A payment of which nothing is left reaches no further than the one before it, and clears
    # nothing.
    return Relation(
        "cleared",
        f"""
        select b.*,
            case
                when b.mark is null then greatest({named_on}b.issued_on)
                when p.paid_on is not null then greatest(p.paid_on, {named_on}b.issued_on)
            end as cleared_on
        from marked_bills b
        asof left join (select * from laid_pool where amount_minor > 0) p
            on p.snap = b.snap and p.reached >= b.mark
        """,
    )
