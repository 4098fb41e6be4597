"""Arrears episodes: from the day an account first has an overdue balance until it has none."""

from __future__ import annotations

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.relations import Relation

EPISODE_STARTED_ON = Fact(
    "episode_started_on",
    Kind.DATE,
    nullable=True,
    words="in arrears since {value}",
)


def episodes() -> list[Relation]:
    """`episodes` (snap, episode_started_on), for the snapshots with a bill that is past due.

    Reads `bill_facts`. A late bill is overdue from the day after it was due until
    the day it was cleared, or a plan began to cover it; bills whose spans touch no day in common
    begin a new episode. The last episode is the current one, since something is overdue. Part
    payments move no bill's due date, so they cannot move the start.
    """
    return [
        # Beside bills that a plan covers, less than the least arrears can be past due.
        Relation(
            "in_arrears",
            "select distinct snap from bill_facts where cleared_on is null and days_past_due > 0",
        ),
        Relation(
            "late_spans",
            "select b.snap, b.due_on, max(case when b.cleared_on is null then date '9999-12-31' "
            "else b.due_on + cast(b.days_past_due as integer) end) over "
            "(partition by b.snap order by b.due_on, b.cleared_on nulls last, b.bill_id "
            "rows between unbounded preceding and 1 preceding) as overdue_until "
            "from bill_facts b join in_arrears t on t.snap = b.snap "
            "where b.due_on < b.as_of and b.days_past_due > 0",
        ),
        Relation(
            "episodes",
            "select snap, max(due_on) + 1 as episode_started_on from late_spans "
            "where overdue_until is null or overdue_until <= due_on group by snap",
        ),
    ]
