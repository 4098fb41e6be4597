"""Whether the sources are fresh and complete."""

from __future__ import annotations

from datetime import date

from riskseg.insight.insight import Insight
from riskseg.insight.portfolio import Portfolio
from riskseg.results.insights.feeds import Feed, Feeds


class FeedsOfSources(Insight[Portfolio, Feeds]):
    """For each source its newest row, its rows against those of earlier runs, and what came in the
    last 30 days against what is usual, with what riskseg.toml expects."""

    name = "feeds"
    question = "Are the sources fresh and complete?"
    about = Portfolio
    needs = ("fed",)

    def answer(self, subject: Portfolio) -> Feeds:
        rows = subject.engine.rows("""
            select source, rows, set_apart, rows_before, newest, lately, usual, breach
            from fed
            order by source
        """)
        return Feeds(feeds=tuple(_feed(subject, *row) for row in rows))


FEEDS = FeedsOfSources()


def _feed(
    subject: Portfolio,
    source: str,
    rows: int,
    set_apart: int,
    rows_before: int | None,
    newest: date | None,
    lately: int | None,
    usual: int | None,
    breach: str | None,
) -> Feed:
    return Feed(
        source=source,
        newest=newest,
        days_ago=None if newest is None else (subject.as_of - newest).days,
        rows=rows,
        rows_before=rows_before,
        set_apart=set_apart,
        last_30_days=lately,
        usual=usual,
        of_usual=subject.figure(lately / usual) if lately is not None and usual else None,
        breach=breach,
    )
