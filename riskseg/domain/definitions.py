"""What the field's words mean here, where more than one package needs to know."""

from __future__ import annotations

# Default is being this many days past due, or written off, where a model's spec does not say.
DEFAULT_DAYS_PAST_DUE = 90


def open_bill(of: str = "") -> str:
    """A condition over the columns of `bill_facts`: the bill is open. It is not cleared, has
    something overdue on it, is not due before the as-of date is over, or is disputed.

    As an expression, or as SQL with the name of the relation (`f.`) in `of`.
    """
    return (
        f"({of}cleared_on is null or {of}overdue > 0 or {of}due_on >= {of}as_of "
        f"or {of}disputed > 0)"
    )


def days_past_due_sql(of: str = "", as_of: str = "as_of") -> str:
    """SQL of a bill's days past due as of a date: from its due date to the day on which it was
    cleared, or to the as-of date while it is open; 0 while it is not yet due or was cleared in
    time. Reads `due_on` and `cleared_on` of the relation `of` (as in `z.`).

    An account's days past due are those of its oldest overdue bill.
    """
    unpaid_until = f"coalesce({of}cleared_on, {as_of})"
    return (
        f"case when {of}due_on < {as_of} then greatest({unpaid_until} - {of}due_on, 0) else 0 end"
    )
