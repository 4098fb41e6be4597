"""What came of promises or plans, by a group of them."""

from __future__ import annotations

from riskseg.domain.relations import literal
from riskseg.insight.intervals import observed_share, share_columns
from riskseg.insight.portfolio import Portfolio
from riskseg.insight.small_numbers import hidden_groups
from riskseg.results.insights.arrangements import NOT_DECIDED, NOT_KNOWN, Arrangements
from riskseg.results.units import share_of

# Groups, as SQL over the rows of `promised` or `planned`, and the order in which they are shown.
BY_SEGMENT = (f"coalesce(segment, {literal(NOT_DECIDED)})", "sum(made) desc, grouping")
BY_CHANNEL = (f"coalesce(channel, {literal(NOT_KNOWN)})", "sum(made) desc, grouping")
ALL = ("'all'", "grouping")
BY_MONTH = ("strftime(made_on, '%Y-%m')", "grouping desc")

_OUTCOMES = ("open", "kept", "partly_kept", "broken", "ended")


def arrangements(subject: Portfolio, table: str, by: tuple[str, str]) -> tuple[Arrangements, ...]:
    """The rows of the table by group. Shares are of those whose time is over alone: of the others,
    some are known to be kept, or broken, before the rest can be."""
    grouping, order = by
    counts_in_shares = "is_over and outcome in ('kept', 'partly_kept', 'broken')"
    counts = ", ".join(
        f"count(*) filter (where outcome = '{name}') as {name}" for name in _OUTCOMES
    )
    summed = ("made", *_OUTCOMES, "of_accounts", "accounts", "amount", "paid")
    sums = ", ".join(f"sum({name})" for name in summed)
    rows = list(
        subject.engine.rows(f"""
        with by_party as (
            select {grouping} as grouping, party_id,
                count(*) as made, {counts},
                count(distinct account_id) as of_accounts,
                count(*) filter (where {counts_in_shares}) as over,
                count(*) filter (where {counts_in_shares} and outcome = 'kept') as over_and_kept,
                count(distinct account_id) filter (where {counts_in_shares}) as accounts,
                coalesce(sum(amount) filter (where {counts_in_shares}), 0) as amount,
                coalesce(sum(paid) filter (where {counts_in_shares}), 0) as paid
            from {table}
            group by all
        )
        select grouping, {sums},
            {share_columns("over_and_kept", "over")}
        from by_party
        group by grouping
        order by {order}
    """)
    )
    few = hidden_groups({group: int(figures[5]) for group, _, *figures in rows})
    few_over = few | hidden_groups({group: int(figures[6]) for group, _, *figures in rows})
    found = []
    for group, made, *figures in rows:
        outcomes, (accounts, amount, paid) = figures[:5], figures[6:9]
        observed, shown = figures[9:], accounts and group not in few_over
        outcomes = [*outcomes, observed[2]] if group not in few else [None] * 6
        share = observed_share(*observed) if shown else None
        found.append(
            Arrangements(
                group=group,
                made=int(made),
                **dict(zip((*_OUTCOMES, "over"), outcomes, strict=True)),
                share_kept=share and share.share,
                low=share and share.low,
                high=share and share.high,
                amount=subject.of_minor(amount) if shown else None,
                share_paid=share_of(int(paid), int(amount)) if shown else None,
            )
        )
    return tuple(found)
