"""The paths an account walks one after the other, and what is due on which day of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import z3

from riskseg.domain.relations import Relation, literal
from riskseg.expressions.smt import Term, both, either, negated
from riskseg.rules.elements import NO_ACTION
from riskseg.rules.model import Path, Strategy
from riskseg.rules.proof_account import Account, condition_holds, in_cell, within
from riskseg.rules.sql import condition_sql, fact_sql, inner, int_sql, out, text_by_row, text_sql


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days of one path, first and last included (None: without end), on which the same is due.

    Days count from the path's own day 0, and `step` from 1. `next_action` and `next_day` are of
    the path's next step, None after its last.
    """

    first: int | None
    last: int | None
    step: int | None
    action: str
    template: str | None
    next_action: str | None
    next_day: int | None


def route(path: Path, paths: Sequence[Path]) -> tuple[Path, ...]:
    """A path and those it goes on to, one after the other."""
    by_name = {p.name: p for p in paths}
    found = [path]
    while (then := found[-1].then) is not None:
        found.append(by_name[then])
    return tuple(found)


def length(path: Path) -> int:
    """The day of a path on which it is over: its last step is not due any more."""
    return path.steps[-1].day + path.due_for if path.steps else 0


def stretches(path: Path) -> list[Stretch]:
    """All days of a path, in order, without gap or overlap."""
    steps = path.steps
    starts: set[int] = set()
    for step, after in zip(steps, (*steps[1:], None), strict=False):
        starts.add(step.day)
        end = step.day + path.due_for
        if after is None or end < after.day:
            starts.add(end)
    bounds = sorted(starts)
    found = []
    for first, beyond in zip([None, *bounds], [*bounds, None], strict=True):
        at = first if first is not None else beyond - 1 if beyond is not None else 0
        begun = [n for n, step in enumerate(steps, start=1) if step.day <= at]
        due = begun[-1] if begun and at < steps[begun[-1] - 1].day + path.due_for else None
        ahead = next((step for step in steps if step.day > at), None)
        found.append(
            Stretch(
                first,
                None if beyond is None else beyond - 1,
                due,
                steps[due - 1].action if due else NO_ACTION,
                steps[due - 1].template if due else None,
                ahead.action if ahead else None,
                ahead.day if ahead else None,
            )
        )
    return found


def placed(strategy: Strategy, paths: Sequence[Path], as_of: date) -> Relation:
    """Segment, the route of paths it leads to, and the account's place on it. `paths` are in force.

    Day 0 of the first path of a route is the date that it `starts`. A path gone on to has its day
    0 when the one before is over, and not before its own `starts`; while that is unknown the
    account stays where it is.
    """
    row = inner("segment_row")
    first = text_by_row(row, [strategy.path_of(r.segment, as_of).name for r in strategy.rows])
    segment = text_by_row(row, [r.segment for r in strategy.rows])
    routes = {p.name: route(p, paths) for p in paths}
    select = f"select *, {segment} as {out('segment')}, {first} as {inner('first')} from segmented"
    legs = max(map(len, routes.values()))
    for leg in range(legs):
        days = {
            name: _day_on(walked, leg) if leg < len(walked) else "null"
            for name, walked in routes.items()
        }
        select = f"select *, {_by_first(days)} as {inner(f'day{leg}')} from ({select}) s"
    begun = " ".join(
        f"when {inner(f'day{leg}')} >= 0 then {leg}" for leg in reversed(range(1, legs))
    )
    reached = f"case {begun} else 0 end" if begun else "0"
    select = f"select *, {reached} as {inner('leg')} from ({select}) s"
    names = {n: _by_leg([literal(p.name) for p in walked]) for n, walked in routes.items()}
    ends = {
        n: _by_leg([_ended(walked[: leg + 1]) for leg in range(len(walked))])
        for n, walked in routes.items()
    }
    day = _by_leg([inner(f"day{leg}") for leg in range(legs)])
    return Relation(
        "placed",
        f"select *, {_by_first(names)} as {out('path')}, {day} as {inner('day')}, "
        f"{_by_first(ends)} as {inner('ended')} from ({select}) s",
    )


def _by_first(values: Mapping[str, str]) -> str:
    """SQL for each path that a segment leads to."""
    if len(set(values.values())) == 1:
        return next(iter(values.values()))
    arms = " ".join(f"when {literal(name)} then {value}" for name, value in values.items())
    return f"(case {inner('first')} {arms} end)"


def _by_leg(values: Sequence[str]) -> str:
    """SQL for each path of a route."""
    if len(set(values)) == 1:
        return values[0]
    arms = " ".join(f"when {leg} then {value}" for leg, value in enumerate(values))
    return f"(case {inner('leg')} {arms} end)"


def _day_on(walked: Sequence[Path], leg: int) -> str:
    """The day of a path of a route: negative before it begins, null where that is unknown."""
    own = f"(as_of - {fact_sql(walked[leg].starts)})"
    if leg == 0:
        return own
    after = f"({inner(f'day{leg - 1}')} - {length(walked[leg - 1])})"
    # `least` would take a day that is known for one that is not.
    return f"(case when {after} <= {own} then {after} when {own} < {after} then {own} end)"


def _ended(walked: Sequence[Path]) -> str:
    """Whether a path, or one that led to it, says that there is nothing more to do."""
    ends = dict.fromkeys(condition_sql(path.ends_when) for path in walked if path.ends_when)
    return f"({' or '.join(ends)})" if ends else "false"


def stepped(strategy: Strategy, paths: Sequence[Path]) -> Relation:
    """The stretch of the path the account is on: exactly one, or none where day 0 is unknown.

    After the last step of a path, what comes next is the first step of a path that it goes on to.
    """
    rows: list[str] = []
    later_legs: set[int] = set()
    for path in paths:
        walked = route(path, paths)
        for leg, on in enumerate(walked):
            later = next((n for n in range(leg + 1, len(walked)) if walked[n].steps), None)
            later_step = walked[later].steps[0] if later is not None else None
            later_legs |= {later} if later is not None else set()
            for s in stretches(on):
                rows.append(
                    f"({literal(path.name)}, {leg}, {int_sql(s.first, -(10**9))}, "
                    f"{int_sql(s.last, 10**9)}, {int_sql(s.step)}, {literal(s.action)}, "
                    f"{text_sql(s.template)}, "
                    f"{text_sql(s.next_action)}, {int_sql(s.next_day)}, {int_sql(later)}, "
                    f"{text_sql(later_step.action if later_step else None)}, "
                    f"{int_sql(later_step.day if later_step else None)})"
                )
    values = ", ".join(rows)
    day, none = inner("day"), literal(NO_ACTION)
    begins = " ".join(f"when {leg} then p.{inner(f'day{leg}')}" for leg in sorted(later_legs))
    # Days until what comes next.
    ahead = f"t.next_day - p.{day}"
    if begins:
        ahead = f"coalesce({ahead}, t.later_day - (case t.later {begins} end))"
    here = f"not {inner('ended')}"
    return Relation(
        "stepped",
        f"select *, case when {here} then {inner('day')} end as {out('path_day')}, "
        f"case when {here} then {inner('step')} end as {inner('due_step')}, "
        f"case when {here} then {inner('action')} else {none} end as {inner('due')}, "
        f"case when {here} and {inner('ahead')} is not null then {inner('next')} end "
        f"as {out('next_action')}, "
        f"case when {here} then as_of + cast({inner('ahead')} as integer) end as {out('next_on')} "
        f"from (select p.*, t.step as {inner('step')}, "
        f"coalesce(t.action, {none}) as {inner('action')}, "
        f"t.template as {inner('due_template')}, "
        f"coalesce(t.next_action, t.later_action) as {inner('next')}, {ahead} as {inner('ahead')} "
        f"from placed p left join (values {values}) t(first_path, leg, first_day, last_day, step, "
        "action, template, next_action, next_day, later, later_action, later_day) "
        f"on t.first_path = p.{inner('first')} and t.leg = p.{inner('leg')} "
        f"and p.{day} between t.first_day and t.last_day) s",
    )


@dataclass(frozen=True)
class Place:
    """A stretch of a path and when an account is on it.

    `walked` is the route of paths that leads there, `path` the last of them, and `started` the
    date of its day 0. `on` says that the account's segment leads to the first of them, `here` that
    the account stands on these days, `at` that there is still something to do for it.
    """

    walked: tuple[Path, ...]
    stretch: Stretch
    started: Term
    on: Any
    here: Any
    at: Any

    @property
    def path(self) -> Path:
        return self.walked[-1]


def regimes(strategy: Strategy) -> list[tuple[date | None, date | None, tuple[Path, ...]]]:
    """Stretches of time (both days included; None: without end) and the paths in force then."""
    one = timedelta(days=1)
    starts = {p.effective_from for p in strategy.paths if p.effective_from}
    starts |= {p.effective_to + one for p in strategy.paths if p.effective_to}
    bounds = sorted(starts)
    found = []
    for begins, beyond in zip([None, *bounds], [*bounds, None], strict=True):
        ends = beyond - one if beyond else None
        found.append((begins, ends, tuple(p for p in strategy.paths if _runs(p, begins, ends))))
    return found


def _runs(path: Path, begins: date | None, ends: date | None) -> bool:
    late = path.effective_from and (begins is None or begins < path.effective_from)
    early = path.effective_to and (ends is None or ends > path.effective_to)
    return not (late or early)


def places_of(
    strategy: Strategy, account: Account, segment: Term
) -> tuple[dict[str, Any], tuple[Place, ...]]:
    """For each path, that the account's segment leads there; and every stretch of each."""
    paths: dict[str, Any] = {}
    places: list[Place] = []
    for begins, ends, here in regimes(strategy):
        now = within(begins, ends, account)
        for path in here:
            on = both(now, in_cell(segment, frozenset(path.segments), account.texts))
            paths[path.name] = either(paths.get(path.name, z3.BoolVal(False)), on)
            places += places_on(route(path, here), on, account)
    return paths, tuple(places)


def places_on(walked: tuple[Path, ...], on: Any, account: Account) -> Iterator[Place]:
    """Every stretch of the paths of a route, for an account whose segment leads to the first."""
    as_of = account.terms["as_of"].value
    starts: list[Term] = []
    for path in walked:
        own = account.term(path.starts)
        if starts:
            over = starts[-1].value + length(walked[len(starts) - 1])
            own = Term(
                z3.If(over >= own.value, over, own.value), either(starts[-1].unknown, own.unknown)
            )
        starts.append(own)
    # Whether each path of the route has begun: days before day 0 belong to the first.
    begun = [
        both(negated(s.unknown), *([as_of >= s.value] if n else [])) for n, s in enumerate(starts)
    ]
    ended: Any = z3.BoolVal(False)
    for leg, path in enumerate(walked):
        if path.ends_when is not None:
            ended = either(ended, condition_holds(path.ends_when, account))
        stands = both(on, begun[leg], *(negated(later) for later in begun[leg + 1 : leg + 2]))
        day = as_of - starts[leg].value
        for stretch in stretches(path):
            here = both(
                stands,
                *([day >= stretch.first] if stretch.first is not None else []),
                *([day <= stretch.last] if stretch.last is not None else []),
            )
            at = both(here, negated(ended))
            yield Place(walked[: leg + 1], stretch, starts[leg], on, here, at)
