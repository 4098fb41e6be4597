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
            # Of bills due on one day any may be the first: they begin an episode together.
            "(partition by b.snap order by b.due_on "
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


def episode_spans(*, plans: bool) -> list[Relation]:
    """`episode_spans` (snap, started_on, ended_on, by_plan, amount): every arrears episode of each
    snapshot, past ones too, as known on its as-of date.

    `ended_on` is the first day on which nothing was overdue, null where the episode goes on;
    `by_plan` says that a kept plan ended it, and not payment alone; `amount` is, in minor units,
    what was owed of the bills that began it. Reads `bill_facts` of every bill and, with `plans`,
    `covers`. An episode is what :func:`episodes` has it to be; beside that, bills that a kept plan
    covers were overdue until the plan began. A bill that was paid on the day after it was due was
    overdue at the close of no day.
    """
    late_until, waits, covers = "b.due_on + cast(b.days_past_due as integer)", "false", ""
    over_on = f"case when b.cleared_on is not null then {late_until} end"
    if plans:
        covers = "left join covers c on c.snap = b.snap and c.is_kept and c.plan_from > b.due_on"
        waits = """(b.cleared_on is null and b.days_past_due = 0 and b.unpaid > 0
                    and c.snap is not null)"""
        over_on = f"case when {waits} then c.plan_from else {over_on} end"
    return [
        Relation(
            "overdue_spans",
            f"""
            select b.snap, b.bill_id, b.due_on, b.cleared_on,
                b.paid + b.unpaid as amount,
                {over_on} as over_on,
                {waits} or coalesce({late_until} < b.cleared_on, false) as by_plan
            from bill_facts b
            {covers}
            where b.due_on < b.as_of
                and (b.days_past_due > 0 or {waits})
                and coalesce({over_on} > b.due_on + 1, true)
            """,
        ),
        Relation(
            "overdue_in_turn",
            """
            select *,
                coalesce(
                    max(coalesce(over_on, date '9999-12-31')) over (
                        partition by snap
                        order by due_on, cleared_on nulls last, bill_id
                        rows between unbounded preceding and 1 preceding
                    ) <= due_on,
                    true
                ) as begins
            from overdue_spans
            """,
        ),
        Relation(
            "overdue_by_episode",
            """
            select *,
                count(*) filter (where begins) over (
                    partition by snap
                    order by due_on, cleared_on nulls last, bill_id
                    rows unbounded preceding
                ) as number
            from overdue_in_turn
            """,
        ),
        Relation(
            "episode_spans",
            """
            select snap,
                min(due_on) + 1 as started_on,
                case when count(over_on) = count(*) then max(over_on) end as ended_on,
                count(over_on) = count(*) and bool_or(by_plan) as by_plan,
                cast(arg_min(amount, due_on) as bigint) as amount
            from (
                select snap, number, due_on, over_on, by_plan,
                    sum(amount) over (partition by snap, number, due_on) as amount
                from overdue_by_episode
            ) b
            group by snap, number
            """,
        ),
    ]
