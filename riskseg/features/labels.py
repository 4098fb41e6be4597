"""Labels: how it came out, worked out from facts known when the label's last day has passed.

A label is asked of the ledger at a later as-of date (`labelled_on`), by the very relations that
give bill facts at any other. So there is one allocation, and a label sees no more than a person
would have seen on the day it became known.
"""

from __future__ import annotations

from riskseg.domain.relations import Relation


def later_snapshots(days: int) -> Relation:
    """`later`: each snapshot as of the day its label is known, so many days on."""
    return Relation(
        "later",
        f"""
        select * replace (as_of + {days} as as_of)
        from observed
        """,
        materialized=True,
    )


def late_labels(horizon: int, days_past_due: int, *, of_focus_bill: bool) -> Relation:
    """`labels` (snap, label): was any bill due in the horizon unpaid so many days after it was due?

    Reads `bill_facts` as of the label's day and `observed`. A snapshot with no bill due in the
    horizon has no row: that is no zero. With `of_focus_bill` the bill in question is the
    snapshot's own, due already or within the horizon: of a later one nothing is known yet.
    """
    in_question = "b.bill_id = o.focus_bill" if of_focus_bill else "b.due_on > o.as_of"
    late = f"b.cleared_on is null or b.cleared_on > b.due_on + {days_past_due}"
    return Relation(
        "labels",
        f"""
        select o.snap,
            cast(max(case when {late} then 1 else 0 end) as tinyint) as label
        from bill_facts b
        join observed o on o.snap = b.snap
        where b.due_on <= o.as_of + {horizon}
            and {in_question}
        group by o.snap
        """,
        materialized=True,
    )


def default_labels(horizon: int, days_past_due: int) -> Relation:
    """`labels` (snap, label): did any bill reach so many days past due, or was the account
    written off, within the horizon?

    A bill counts on the day it reaches them: not before the as-of date, which the population
    rules out, and not after the horizon.
    """
    reached = f"b.due_on + {days_past_due}"
    in_default = f"""{reached} > o.as_of
                and {reached} <= o.as_of + {horizon}
                and (b.cleared_on is null or b.cleared_on >= {reached})"""
    written_off = f"""a.written_off_on > o.as_of
                and a.written_off_on <= o.as_of + {horizon}"""
    return Relation(
        "labels",
        f"""
        select o.snap,
            cast(coalesce(max(case when {in_default} then 1 else 0 end), 0) as tinyint)
            | cast(coalesce(bool_or({written_off}), false) as tinyint) as label
        from observed o
        left join bill_facts b on b.snap = o.snap
        left join ledger_accounts a
            on a.account_no = o.account_no
            and (a.valid_from is null or a.valid_from <= o.as_of + {horizon})
        group by o.snap
        """,
        materialized=True,
    )
