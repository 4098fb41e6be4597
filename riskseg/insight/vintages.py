"""Vintages: what of a month's bills is unpaid, and which of its episodes go on, months later."""

from __future__ import annotations

from datetime import date

from riskseg.insight.insight import Insight
from riskseg.insight.intervals import observed_share, share_columns
from riskseg.insight.portfolio import Portfolio
from riskseg.insight.portfolio_tables.arranged import since
from riskseg.results.insights.answer import FEWEST
from riskseg.results.insights.vintages import BilledVintage, EpisodeVintage, Vintages
from riskseg.results.units import share_of

# Days after an episode began at which it is asked whether it goes on.
HORIZONS = (30, 60, 90, 180)


class VintageCurves(Insight[Portfolio, Vintages]):
    """Bills by the month in which they were issued, at the end of each later month as it was known
    then; arrears episodes by the month in which they began, as they are known by now. A month is
    only in what all its bills, or episodes, have behind them: none is counted for being young."""

    name = "vintages"
    question = "How much of what was billed stays unpaid, and how long do arrears last?"
    about = Portfolio
    needs = ("billed_months", "past_episodes")

    def answer(self, subject: Portfolio) -> Vintages:
        return Vintages(billed=_billed(subject), episodes=_episodes(subject))


def _billed(subject: Portfolio) -> tuple[BilledVintage, ...]:
    rows = subject.engine.rows(f"""
        with by_party as (
            select month, day, party_id,
                count(*) as accounts,
                sum(billed) as billed,
                sum(unpaid) as unpaid
            from billed_months
            group by month, day, party_id
        )
        select month, datediff('month', month, day) as months_after, sum(accounts),
            {share_columns("unpaid", "billed")}
        from by_party
        group by month, day
        order by month desc, day
    """)
    return tuple(_billed_vintage(subject, *row) for row in rows)


def _billed_vintage(
    subject: Portfolio, month: date, months_after: int, accounts: int, *observed: int
) -> BilledVintage:
    _, unpaid, billed, *_ = observed
    share = observed_share(*observed) if accounts >= FEWEST else None
    return BilledVintage(
        month=month,
        months_after=months_after,
        accounts=int(accounts),
        billed=subject.of_minor(billed),
        unpaid=subject.of_minor(unpaid) if share else None,
        share=share and share.share,
        low=share and share.low,
        high=share and share.high,
    )


def _episodes(subject: Portfolio) -> tuple[EpisodeVintage, ...]:
    horizons = ", ".join(f"({days})" for days in HORIZONS)
    rows = subject.engine.rows(f"""
        with began as (
            select e.*, h.days_after,
                last_day(e.started_on) as month,
                coalesce(e.ended_on > e.started_on + h.days_after, true) as goes_on
            from past_episodes e
            cross join (values {horizons}) h(days_after)
            where e.started_on >= date '{since(subject.as_of)}'
                and last_day(e.started_on) + h.days_after <= date '{subject.as_of}'
        ),
        by_party as (
            select month, days_after, party_id,
                count(*) as episodes,
                count(distinct account_id) as accounts,
                count(*) filter (where goes_on) as going_on,
                count(*) filter (where by_plan and not goes_on) as on_plan,
                sum(amount) as amount,
                coalesce(sum(amount) filter (where goes_on), 0) as going_on_amount
            from began
            group by month, days_after, party_id
        )
        select month, days_after, sum(accounts), sum(on_plan), sum(amount), sum(going_on_amount),
            {share_columns("going_on", "episodes")}
        from by_party
        group by month, days_after
        order by month desc, days_after
    """)
    return tuple(_episode_vintage(subject, *row) for row in rows)


def _episode_vintage(
    subject: Portfolio,
    month: date,
    days_after: int,
    accounts: int,
    on_plan: int,
    amount: int,
    going_on_amount: int,
    *observed: int,
) -> EpisodeVintage:
    _, going_on, episodes, *_ = observed
    share = observed_share(*observed) if accounts >= FEWEST else None
    return EpisodeVintage(
        month=month,
        days_after=days_after,
        episodes=int(episodes),
        cured=int(episodes - going_on - on_plan) if share else None,
        on_plan=int(on_plan) if share else None,
        share=share and share.share,
        low=share and share.low,
        high=share and share.high,
        arrears=subject.of_minor(amount) if share else None,
        share_of_arrears=share_of(int(going_on_amount), int(amount)) if share else None,
    )


VINTAGES = VintageCurves()
