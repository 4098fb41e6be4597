"""What followed the actions that were issued, by segment, path, step, action and strategy version.

Observed, and no effect: which accounts get an action is the strategy's choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from riskseg.domain.relations import literal
from riskseg.insight.insight import Insight
from riskseg.insight.intervals import ObservedShare, observed_share, share_columns
from riskseg.insight.portfolio import Portfolio
from riskseg.insight.portfolio_tables.followed import WITHIN, issued_between
from riskseg.insight.small_numbers import hidden_groups
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
        paying = {by: _paying(subject, by) for by in _GROUPS}
        few, few_late = _few(rows, "accounts"), _few(rows, "accounts_in_arrears")
        return Performance(
            followed=tuple(
                _followed(
                    subject,
                    by,
                    row,
                    paying[by].get(group) if (by, group) not in few_late else None,
                    enough=(by, group) not in few,
                )
                for by, row in rows
                for group in [row["group_name"]]
            ),
            outcomes=tuple(
                _outcomes(
                    by,
                    row,
                    complaints=has_complaints,
                    enough=(by, row["group_name"]) not in few,
                )
                for by, row in rows
            ),
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


def _rows(subject: Portfolio, by: str) -> list[dict[str, Any]]:
    """What is counted of each group, in the order of their names."""
    rows: list[dict[str, Any]] = subject.engine.arrow(f"""
        select {_GROUPS[by]} as group_name,
            count(*) as actions,
            count(distinct account_id) as accounts,
            count(*) filter (where overdue) as in_arrears,
            count(distinct account_id) filter (where overdue) as accounts_in_arrears,
            cast(sum(paid) as bigint) as paid,
            sum(cost) as cost,
            count(*) filter (where answered) as answered,
            count(*) filter (where reached) as reached,
            count(*) filter (where promised) as promised,
            count(*) filter (where refused) as refused,
            cast(sum(complaints) as bigint) as complaints,
            count(cured_after) as cured,
            median(cured_after) as days_to_cure
        from followed_actions
        group by group_name
        order by group_name
    """).to_pylist()
    return rows


def _few(rows: Sequence[tuple[str, Mapping[str, Any]]], count: str) -> set[tuple[str, str]]:
    """The groups of too few accounts, each with what it is a group by."""
    return {
        (by, group)
        for by in _GROUPS
        for group in hidden_groups({r["group_name"]: r[count] for own, r in rows if own == by})
    }


def _paying(subject: Portfolio, by: str) -> dict[str, ObservedShare]:
    """Of each group, the share of the actions in arrears that a payment followed."""
    rows = subject.engine.rows(f"""
        with by_party as (
            select {_GROUPS[by]} as group_name, party_id,
                count(*) as times,
                count(*) filter (where paid > 0) as paying
            from followed_actions
            where overdue
            group by group_name, party_id
        )
        select group_name, {share_columns("paying", "times")}
        from by_party
        group by group_name
    """)
    return {group: observed_share(*sums) for group, *sums in rows}


def _followed(
    subject: Portfolio,
    by: str,
    row: Mapping[str, Any],
    paying: ObservedShare | None,
    *,
    enough: bool,
) -> Followed:
    columns: dict[str, Any] = {"by": by, "group": row["group_name"]}
    columns |= {name: row[name] for name in ("actions", "accounts", "in_arrears")}
    if enough:
        collected = subject.of_minor(row["paid"])
        cost = None if row["cost"] is None else subject.amount(row["cost"])
        net = None if cost is None else collected - cost
        columns |= {"collected": collected, "cost": cost, "net": net}
    if paying is not None:
        days = row["days_to_cure"]
        columns |= {
            "paid": paying.share,
            "low": paying.low,
            "high": paying.high,
            "cured": share_of(row["cured"], row["in_arrears"]),
            "days_to_cure": None if days is None else Decimal(days),
        }
    return Followed(**columns)


def _outcomes(
    by: str, row: Mapping[str, Any], *, complaints: bool, enough: bool
) -> RecordedOutcomes:
    answered = row["answered"]
    shares = {name: share_of(row[name], answered) for name in ("reached", "promised", "refused")}
    return RecordedOutcomes(
        by=by,
        group=row["group_name"],
        actions=row["actions"],
        answered=answered,
        complaints=row["complaints"] if complaints and enough else None,
        **(shares if answered and enough else {}),
    )
