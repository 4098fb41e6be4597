"""From which day to which an exported query holds: while no rule or path begins or ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from riskseg.domain.problems import problem
from riskseg.rules.elements import Dated
from riskseg.rules.model import Strategy
from riskseg.rules.periods import Period

_DAY = timedelta(days=1)


def periods(strategy: Strategy) -> Iterator[Period]:
    """The stretches of days of a strategy, in each of which the same rules and paths are in
    force."""
    whole = Period.of(strategy)
    begins = {whole.first}
    dated: list[Dated] = [*strategy.guards, *strategy.duties, *strategy.paths]
    for own in map(Period.of, dated):
        begins |= {own.first} | ({own.last + _DAY} if own.last < date.max else set())
    first_days = sorted(day for day in begins if whole.first <= day <= whole.last)
    for first, following in zip(first_days, [*first_days[1:], None], strict=True):
        yield Period(first, whole.last if following is None else following - _DAY)


def period_of(strategy: Strategy, as_of: date | None) -> Period:
    """The stretch of days that the date is in; without a date, the only one there is. Raises RS210
    where the strategy does not hold on the date, and RS240 where there are several."""
    file = f"{strategy.folder}/strategy.yaml"
    found = [*periods(strategy)]
    if as_of is None:
        if len(found) == 1:
            return found[0]
        days = ", ".join(str(period.first) for period in found[1:])
        message = f'The rules of "{strategy.name}" change on {days}, and a query holds for one set.'
        hint = f"Say for which day the query is: `--as-of {found[-1].first}`."
        raise problem("RS240", message, file=file, hint=hint)
    for period in found:
        if period.first <= as_of <= period.last:
            return period
    message = f'"{strategy.name}" does not hold on {as_of}.'
    raise problem("RS210", message, file=file, hint=f"It holds {Period.of(strategy)}.")
