"""Segments that could be one, and segments that nobody reached."""

from __future__ import annotations

from collections.abc import Iterator

from riskseg.insight.intervals import NORMAL_95
from riskseg.insight.portfolio import Portfolio
from riskseg.insight.rates import rates_by
from riskseg.results.insights.answer import FEWEST
from riskseg.results.insights.split import Pair, Unreached
from riskseg.rules.model import Path, Strategy

# Paths are similar where at least this share of the actions of both is in either.
_SIMILAR = 0.5


def pairs(subject: Portfolio) -> Iterator[Pair]:
    """Segments that stand next to each other in the table, or have a path in common, and are
    treated much alike, where the 95% interval of the difference of their rates holds 0."""
    rates = {key[0]: rate for key, rate in rates_by(subject, "segment").items()}
    segments = subject.strategy.segments
    for place, first in enumerate(segments):
        for second in segments[place + 1 :]:
            treatment = _in_common(subject, first, second)
            is_next = segments[place + 1] == second
            if treatment is None or not (is_next or treatment == _SAME):
                continue
            one, other = rates.get(first), rates.get(second)
            if one is None or other is None or min(one.accounts, other.accounts) < FEWEST:
                continue
            difference = one.rate - other.rate
            reach = NORMAL_95 * one.error_against(other)
            if abs(difference) < reach:
                yield Pair(
                    first=first,
                    second=second,
                    treatment=treatment,
                    first_accounts=one.accounts,
                    first_rate=subject.figure(one.rate),
                    second_accounts=other.accounts,
                    second_rate=subject.figure(other.rate),
                    low=subject.figure(difference - reach),
                    high=subject.figure(difference + reach),
                )


_SAME = "the same path"


def _in_common(subject: Portfolio, first: str, second: str) -> str | None:
    """What the paths of two segments have in common, in words; None where that is little."""
    strategy, as_of = subject.strategy, subject.as_of
    one, other = (strategy.path_of(segment, as_of) for segment in (first, second))
    if one.name == other.name:
        return _SAME
    actions, others = _actions(strategy, one), _actions(strategy, other)
    both, either = actions & others, actions | others
    if not either or len(both) < _SIMILAR * len(either):
        return None
    return f"{len(both)} of {len(either)} actions"


def _actions(strategy: Strategy, path: Path) -> set[str]:
    """The actions of a path and of those that follow it."""
    by_name = {one.name: one for one in strategy.paths}
    actions: set[str] = set()
    seen: set[str] = set()
    following: Path | None = path
    while following is not None and following.name not in seen:
        seen.add(following.name)
        actions |= {step.action for step in following.steps}
        following = by_name.get(following.then or "")
    return actions


def unreached(subject: Portfolio) -> Iterator[Unreached]:
    """The segments of the strategy in which no account was on any of the days."""
    reached = {
        segment for (segment,) in subject.engine.rows("select distinct segment from decided_days")
    }
    for segment in subject.strategy.segments:
        if segment not in reached:
            rows = [row for row in subject.strategy.rows if row.segment == segment]
            yield Unreached(
                segment=segment, rows=", ".join(f"{row.id} (line {row.line})" for row in rows)
            )
