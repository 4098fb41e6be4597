"""How many accounts in arrears cure, by segment, within days after they were decided."""

from __future__ import annotations

from riskseg.insight.insight import Insight
from riskseg.insight.intervals import observed_share, share_columns
from riskseg.insight.portfolio import Portfolio
from riskseg.results.insights.answer import FEWEST
from riskseg.results.insights.cures import Cured, CureRates
from riskseg.results.units import share_of

# Within how many days after a day it is asked who cured.
HORIZONS = (30, 60, 90)


class Cures(Insight[Portfolio, CureRates]):
    """Of the accounts that were in arrears on each day, how many were out of them at the close of
    some day soon after. One that falls into arrears again has cured all the same. An account that
    was decided as in arrears and was not, as is known by now, has cured too."""

    name = "cures"
    question = "How many accounts in arrears cure, and how soon?"
    about = Portfolio
    needs = ("past_episodes",)

    def answer(self, subject: Portfolio) -> CureRates:
        horizons = ", ".join(f"({days})" for days in HORIZONS)
        rows = subject.engine.rows(f"""
            with looked_at as (
                select d.segment, h.within, d.account_id, d.party_id,
                    coalesce(e.by_plan and e.ended_on <= d.day + h.within, false) as on_plan,
                    e.account_id is not null and coalesce(e.ended_on > d.day + h.within, true)
                        as in_arrears
                from decided_days d
                cross join (values {horizons}) h(within)
                left join past_episodes e
                    on e.account_id = d.account_id
                    and e.started_on <= d.day
                    and coalesce(e.ended_on > d.day, true)
                where d.days_past_due > 0
                    and d.day + h.within <= date '{subject.as_of}'
            ),
            by_party as (
                select segment, within, party_id, count(*) as times,
                    count(distinct account_id) as accounts,
                    count(*) filter (where on_plan) as on_plan,
                    count(*) filter (where not on_plan and not in_arrears) as cured
                from looked_at
                group by segment, within, party_id
            )
            select segment, within, sum(accounts), sum(on_plan), {share_columns("cured", "times")}
            from by_party
            group by segment, within
            order by segment, within
        """)
        return CureRates(segments=tuple(_cured(*row) for row in rows), as_of=subject.as_of)


def _cured(segment: str, within: int, accounts: int, on_plan: int, *observed: int) -> Cured:
    _, cured, times, *_ = observed
    share = observed_share(*observed) if accounts >= FEWEST else None
    return Cured(
        segment=segment,
        within=within,
        accounts=int(times),
        cured=int(cured) if share else None,
        on_plan=int(on_plan) if share else None,
        share_cured=share and share.share,
        low=share and share.low,
        high=share and share.high,
        share_on_plan=share and share_of(int(on_plan), int(times)),
    )


CURES = Cures()
