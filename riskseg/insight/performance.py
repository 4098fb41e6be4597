"""What followed the actions that were issued, by segment, path, step, action and strategy version.

Observed, and no effect: which accounts get an action is the strategy's choice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from riskseg.domain.relations import literal
from riskseg.insight.insight import Insight
from riskseg.insight.intervals import NORMAL_95, ratio_of_sums
from riskseg.insight.portfolio import Portfolio
from riskseg.insight.portfolio_tables.followed import WITHIN, issued_between
from riskseg.results.insights.answer import FEWEST
from riskseg.results.insights.performance import Followed, Performance, RecordedOutcomes
from riskseg.results.units import share_of

# What actions are grouped by, as SQL over `followed_actions`.
_GROUPS = {
    "segment": "segment",
    "path": "path",
    "step": "path || ': ' || step",
    "action": "action",
    "version": "strategy",
}


class PerformanceOfActions(Insight[Portfolio, Performance]):
    """Each issued action, with the outcomes that were recorded of it and what its accounts did in
    the days after it, up to the next action. The interval is that of a ratio of sums over parties
    (Cochran, Sampling Techniques, 1977, section 6.3): a party counts once, however many actions it
    had."""

    name = "performance"
    question = "What follows the actions of each segment, path and step?"
    about = Portfolio
    needs = ("followed",)

    def answer(self, subject: Portfolio) -> Performance:
        since, until = issued_between(subject)
        _actions(subject)
        complaints = "select count(*) > 0 from ledger_events where kind = 'complaint'"
        has_complaints = bool(subject.engine.value(complaints))
        rows = [(by, row) for by in _GROUPS for row in _rows(subject, by)]
        return Performance(
            followed=tuple(_followed(subject, by, row) for by, row in rows),
            outcomes=tuple(_outcomes(by, row, complaints=has_complaints) for by, row in rows),
            first=since,
            last=until,
            within=WITHIN,
            later=subject.engine.value(
                f"""
                select count(*)
                from journal_events
                where kind = 'action'
                    and ref is null
                    and happened_on > date '{until}'
                    and happened_on <= date '{subject.as_of}'
                    and recorded_on <= date '{subject.as_of}'
                """
            ),
            least=FEWEST,
        )


PERFORMANCE = PerformanceOfActions()


def _actions(subject: Portfolio) -> None:
    """Make `followed_actions`, a row for each action: what followed for all of the accounts it was
    for. It was followed by a cure once each of those in arrears is out of them."""
    of_first = ", ".join(
        f"arg_max({name}, (is_first, account_id)) as {name}"
        for name in ("party_id", "segment", "strategy", "path", "step", "action")
    )
    costs = " ".join(
        f"when {literal(action.name)} then {action.cost:f}"
        for action in subject.actions
        if action.cost is not None
    )
    cost = f"case any_value(action) {costs} end" if costs else "null"
    subject.engine.run(f"""
        create or replace temp table followed_actions as
        select action_id, {of_first},
            arg_max(account_id, (is_first, account_id)) as account_id,
            bool_or(answered) as answered,
            bool_or(reached) as reached,
            bool_or(promised) as promised,
            bool_or(refused) as refused,
            bool_or(overdue) as overdue,
            sum(paid) as paid,
            sum(complaints) as complaints,
            case when bool_or(overdue) and count(*) = count(cured_after) then max(cured_after) end
                as cured_after,
            cast({cost} as decimal(18, 4)) as cost
        from followed
        group by action_id
    """)


def _rows(subject: Portfolio, by: str) -> Iterator[Mapping[str, Any]]:
    """What is counted of each group, in the order of their names."""
    rows: list[dict[str, Any]] = subject.engine.arrow(f"""
        with grouped as (
            select *, {_GROUPS[by]} as group_name, cast(paid > 0 as integer) as has_paid
            from followed_actions
        ),
        by_party as (
            select group_name, party_id, count(*) as times, sum(has_paid) as paying
            from grouped
            where overdue
            group by group_name, party_id
        ),
        spread as (
            select group_name,
                count(*) as parties,
                cast(sum(paying * paying) as double) as parts,
                cast(sum(paying * times) as double) as crossed,
                cast(sum(times * times) as double) as wholes
            from by_party
            group by group_name
        )
        select g.group_name,
            count(*) as actions,
            count(distinct g.account_id) as accounts,
            count(*) filter (where g.overdue) as in_arrears,
            count(distinct g.account_id) filter (where g.overdue) as accounts_in_arrears,
            cast(sum(g.has_paid) as bigint) as paying,
            cast(sum(g.paid) as bigint) as paid,
            sum(g.cost) as cost,
            count(*) filter (where g.answered) as answered,
            count(*) filter (where g.reached) as reached,
            count(*) filter (where g.promised) as promised,
            count(*) filter (where g.refused) as refused,
            cast(sum(g.complaints) as bigint) as complaints,
            count(g.cured_after) as cured,
            median(g.cured_after) as days_to_cure,
            any_value(s.parties) as parties,
            any_value(s.parts) as parts,
            any_value(s.crossed) as crossed,
            any_value(s.wholes) as wholes
        from grouped g
        left join spread s on s.group_name = g.group_name
        group by g.group_name
        order by g.group_name
    """).to_pylist()
    yield from rows


def _followed(subject: Portfolio, by: str, row: Mapping[str, Any]) -> Followed:
    told: dict[str, Any] = {"by": by, "group": row["group_name"]}
    told |= {name: row[name] for name in ("actions", "accounts", "in_arrears")}
    if row["accounts"] >= FEWEST:
        collected = subject.amount(Decimal(row["paid"]).scaleb(-subject.scale))
        cost = None if row["cost"] is None else subject.amount(row["cost"])
        net = None if cost is None else collected - cost
        told |= {"collected": collected, "cost": cost, "net": net}
    if row["accounts_in_arrears"] >= FEWEST:
        told |= _shares(subject, row)
    return Followed(**told)


def _shares(subject: Portfolio, row: Mapping[str, Any]) -> dict[str, Decimal | None]:
    """How many of the actions for accounts in arrears were followed by a payment, and by a cure."""
    sums = {name: row[name] for name in ("parts", "crossed", "wholes")}
    paid, error = ratio_of_sums(row["parties"], row["in_arrears"], row["paying"], **sums)
    reach = NORMAL_95 * error
    days = row["days_to_cure"]
    return {
        "paid": share_of(row["paying"], row["in_arrears"]),
        "low": subject.figure(max(paid - reach, 0)),
        "high": subject.figure(min(paid + reach, 1)),
        "cured": share_of(row["cured"], row["in_arrears"]),
        "days_to_cure": None if days is None else Decimal(days),
    }


def _outcomes(by: str, row: Mapping[str, Any], *, complaints: bool) -> RecordedOutcomes:
    answered = row["answered"]
    shares = {name: share_of(row[name], answered) for name in ("reached", "promised", "refused")}
    return RecordedOutcomes(
        by=by,
        group=row["group_name"],
        actions=row["actions"],
        answered=answered,
        complaints=row["complaints"] if complaints else None,
        **(shares if answered and row["accounts"] >= FEWEST else {}),
    )
