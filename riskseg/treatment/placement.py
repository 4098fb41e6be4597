"""Which path an account is on, and since when: SQL and, written apart, terms of a proof."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import z3

from riskseg.domain.relations import Relation, fact_column, literal
from riskseg.expressions.smt import Term, both, either, negated
from riskseg.rules.holding import HeldDays
from riskseg.rules.model import Path, Strategy
from riskseg.rules.placing import entered_on
from riskseg.rules.proof_account import Account, condition_holds, in_cell, within
from riskseg.rules.sql import condition_sql, fact_sql, inner, out, text_by_row
from riskseg.treatment.due_terms import due_terms
from riskseg.treatment.routes import (
    RouteStep,
    by_first,
    length,
    route,
    route_steps,
    routes_by_first,
)


def placed(strategy: Strategy, paths: Sequence[Path], as_of: date) -> list[Relation]:
    """Relations from `segmented` to `placed`: segment, the route of paths that the account walks,
    and its place on it. `paths` are in force.

    The route is the one that the segment leads to, or the one that the account stays on. Day 0 of
    its first path is the date that it `begins`. A path gone on to has its day 0 when the one before
    is over, and not before its own `starts`; while that is unknown the account stays where it is.
    """
    routes = routes_by_first(paths)
    legs = range(max(map(len, routes.values())))
    begun = "".join(f" when {inner(f'day{leg}')} >= 0 then {leg}" for leg in reversed(legs) if leg)
    reached = f"case{begun} else 0 end" if begun else "0"
    return [
        _led(strategy, as_of),
        Relation("on_route", f"select *, {_path_walked(paths)} as {inner('first')} from led"),
        *(_day_of_leg(routes, leg) for leg in legs),
        Relation("on_leg", f"select *, {reached} as {inner('leg')} from day_of_leg_{legs[-1]}"),
        _placed(routes, legs),
    ]


def _led(strategy: Strategy, as_of: date) -> Relation:
    """The segment, and the path that it leads to."""
    row = inner("segment_row")
    path = text_by_row(row, [strategy.path_of(r.segment, as_of).name for r in strategy.rows])
    segment = text_by_row(row, [r.segment for r in strategy.rows])
    return Relation(
        "led",
        f"""
        select *,
            {segment} as {out("segment")},
            {path} as {inner("path_of_segment")}
        from segmented
        """,
    )


def _day_of_leg(routes: Mapping[str, Sequence[Path]], leg: int) -> Relation:
    """The day of the path of each route that comes at that place."""
    days = {
        first: _day_on(walked, leg) if leg < len(walked) else "null"
        for first, walked in routes.items()
    }
    before = f"day_of_leg_{leg - 1}" if leg else "on_route"
    select = f"select *, {by_first(days)} as {inner(f'day{leg}')} from {before}"
    return Relation(f"day_of_leg_{leg}", select)


def _placed(routes: Mapping[str, Sequence[Path]], legs: Sequence[int]) -> Relation:
    """The path that the account has come to, its day there, and since when it is on its route."""
    names = {n: _by_leg([literal(p.name) for p in walked]) for n, walked in routes.items()}
    ends = {
        n: _by_leg([_ended(walked[: leg + 1]) for leg in range(len(walked))])
        for n, walked in routes.items()
    }
    begun_ago = {n: f"(as_of - {fact_sql(walked[0].day_0)})" for n, walked in routes.items()}
    came_ago = {n: _came_ago(walked[0]) for n, walked in routes.items()}
    return Relation(
        "placed",
        f"""
        select *,
            {by_first(names)} as {out("path")},
            {_by_leg([inner(f"day{leg}") for leg in legs])} as {inner("day")},
            {by_first(begun_ago)} as {inner("begun_ago")},
            {by_first(came_ago)} as {inner("came_ago")},
            {by_first(ends)} as {inner("ended")}
        from on_leg
        """,
    )


def _path_walked(paths: Sequence[Path]) -> str:
    """The path on which the account's route begins: that of its segment, or the one it stays on.
    One that is taken at once, or on which nothing is done, holds nobody back."""
    of_segment = inner("path_of_segment")
    arms = []
    for path in paths:
        others = [other.name for other in paths if other != path and _may_wait(other)]
        if path.stays is not None and others:
            led_away = f"{of_segment} in ({', '.join(map(literal, others))})"
            arms.append(f"when {fact_sql(path.stays)} and {led_away} then {literal(path.name)}")
    return f"case {' '.join(arms)} else {of_segment} end" if arms else of_segment


def _may_wait(path: Path) -> bool:
    """Whether an account whose segment leads to a path may stay on another."""
    return not path.idle and not path.at_once


def _came_ago(path: Path) -> str:
    """How many days of a path ago the account came to it, where steps of before are passed over;
    else null."""
    if path.passes_over is None:
        return "cast(null as bigint)"
    entry = fact_sql(entered_on(path.name))
    held = "" if path.held_since_entry is None else f" - {fact_column(path.held_since_entry.fact)}"
    return f"(case when {fact_sql(path.passes_over)} then as_of - {entry}{held} end)"


def _by_leg(values: Sequence[str]) -> str:
    """SQL for each path of a route."""
    if len(set(values)) == 1:
        return values[0]
    arms = " ".join(f"when {leg} then {value}" for leg, value in enumerate(values))
    return f"(case {inner('leg')} {arms} end)"


def _day_on(walked: Sequence[Path], leg: int) -> str:
    """The day of a path of a route: negative before it begins, null where that is unknown."""
    path = walked[leg]
    if leg == 0:
        return f"(as_of - {fact_sql(path.day_0)}{_less_held(path)})"
    after = f"({inner(f'day{leg - 1}')} - {length(walked[leg - 1])})"
    if path.starts_on_entry:
        return after
    held = "" if path.held is None else f" - {fact_column(path.held.fact)}"
    own = f"(as_of - {fact_sql(path.starts)}{held})"
    # `least` would take a day that is known for one that is not.
    return f"(case when {after} <= {own} then {after} when {own} < {after} then {own} end)"


def _less_held(path: Path) -> str:
    """What is taken off the days of the first path of a route: those on which its clock stood."""
    if path.held is None:
        return ""
    held = fact_column(path.held.fact)
    if path.held_since_entry is not None and path.lifted is not None:
        later = f"{fact_sql(path.day_0)} > {fact_sql(path.starts)}"
        held = f"case when {later} then {fact_column(path.held_since_entry.fact)} else {held} end"
    return f" - {held}"


def _ended(walked: Sequence[Path]) -> str:
    """Whether a path, or one that led to it, says that there is nothing more to do."""
    ends = dict.fromkeys(condition_sql(path.ends_when) for path in walked if path.ends_when)
    return f"({' or '.join(ends)})" if ends else "false"


# The same as terms of a proof, written apart.


@dataclass(frozen=True)
class Leg:
    """One path of a route: the date of its day 0, that the account stands on it (`here`), and that
    there is still something to do for it (`at`)."""

    path: Path
    started: Term
    here: Any
    at: Any


@dataclass(frozen=True)
class Standing:
    """Where an account stands on a route. `on` says that its route begins with the first of the
    paths; `due` that a step of the route is due, one at most."""

    on: Any
    legs: tuple[Leg, ...]
    due: tuple[tuple[RouteStep, Any], ...]


Regime = tuple[date | None, date | None, tuple[Path, ...]]


def regimes(strategy: Strategy) -> list[Regime]:
    """Stretches of time, with the paths in force in each: without end where none ever changes."""
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


def standings_of(
    strategy: Strategy, account: Account, segment: Term
) -> tuple[dict[str, Any], tuple[Standing, ...]]:
    """For each path, that the account's route begins there; and where it stands on each route."""
    on_path: dict[str, Any] = {}
    standings: list[Standing] = []
    for begins, ends, in_force in regimes(strategy):
        now = within(begins, ends, account)
        for path, walks in _walking(in_force, segment, account):
            on = both(now, walks)
            on_path[path.name] = either(on_path.get(path.name, z3.BoolVal(False)), on)
            standings.append(standing(route(path, in_force), on, account))
    return on_path, tuple(standings)


def _walking(paths: Sequence[Path], segment: Term, account: Account) -> Iterator[tuple[Path, Any]]:
    """For each path that a segment leads to, that an account's route begins there."""
    led = {
        path: in_cell(segment, frozenset(path.segments), account.texts)
        for path in paths
        if path.segments
    }
    stays = {}
    for path in led:
        if path.stays is not None:
            away = either(*(to for other, to in led.items() if other != path and _may_wait(other)))
            stays[path] = both(account.term(path.stays).true, away)
    for path, by_segment in led.items():
        held_back = either(*(other for other_path, other in stays.items() if other_path != path))
        walks = both(by_segment, negated(held_back))
        yield path, either(walks, stays[path]) if path in stays else walks


def standing(walked: tuple[Path, ...], on: Any, account: Account) -> Standing:
    """Where an account stands whose route begins with the first path of `walked`."""
    as_of = account.terms["as_of"].value
    starts = [_first_day_0(walked[0], account)]
    for before, path in pairwise(walked):
        over = Term(starts[-1].value + length(before), starts[-1].unknown)
        if not path.starts_on_entry:
            own = account.term(path.starts)
            own_value = own.value + _held(path.held, account)
            later = z3.If(over.value >= own_value, over.value, own_value)
            over = Term(later, either(over.unknown, own.unknown))
        starts.append(over)
    # Whether each path of the route has begun: days before day 0 belong to the first.
    begun = [
        both(negated(s.unknown), *([as_of >= s.value] if n else [])) for n, s in enumerate(starts)
    ]
    legs = []
    ended: Any = z3.BoolVal(False)
    for number, path in enumerate(walked):
        if path.ends_when is not None:
            ended = either(ended, condition_holds(path.ends_when, account))
        here = both(on, begun[number], *(negated(later) for later in begun[number + 1 :]))
        legs.append(Leg(path, starts[number], here, both(here, negated(ended))))
    at = either(*(leg.at for leg in legs))
    began = account.term(walked[0].day_0).value
    due = due_terms(
        route_steps(walked), starts, begun, at, account, began, _came_on(walked[0], account)
    )
    return Standing(on, tuple(legs), tuple(due))


def _held(held: HeldDays | None, account: Account) -> Any:
    return z3.IntVal(0) if held is None else account.terms[held.fact].value


def _first_day_0(path: Path, account: Account) -> Term:
    """The date that would be day 0 of the first path of a route had the clock never stood."""
    begins, held = account.term(path.day_0), _held(path.held, account)
    if path.lifted is not None:
        later = begins.value > account.term(path.starts).value
        held = z3.If(later, _held(path.held_since_entry, account), held)
    return Term(begins.value + held, begins.unknown)


def _came_on(path: Path, account: Account) -> Term | None:
    """The date on which the account came to a path, had the clock never stood since; known where
    steps of before are passed over. None where none ever is."""
    if path.passes_over is None:
        return None
    entry = account.term(entered_on(path.name)).value + _held(path.held_since_entry, account)
    return Term(entry, negated(account.term(path.passes_over).true))
