"""What the field's words mean here, where more than one package needs to know."""

from __future__ import annotations

# Default is being this many days past due, or written off, where a model's spec does not say.
DEFAULT_DAYS_PAST_DUE = 90


def open_bill(of: str = "") -> str:
    """A condition over the columns of `bill_facts`: the bill is open. It is not cleared, has
    something overdue on it, or is not due before the as-of date is over.

    As an expression, or as SQL with the name of the relation (`f.`) in `of`.
    """
    return f"({of}cleared_on is null or {of}overdue > 0 or {of}due_on >= {of}as_of)"
