"""Which step of an account's route is due, and what comes next, as SQL. The same as terms of a
proof, which is written apart, is in :mod:`riskseg.treatment.due_terms`.

A step is due from its day until it is issued or overtaken: once a later step is reached, an
earlier one is done no more, unless it `must` be. What was issued is a fact of the account, so the
same holds however often, or seldom, a strategy is run.

Where steps repeat, a round is one pass over them: in round 0 they come for the first time. An
occurrence of a step is numbered from 1, and is a step of its own: what overtakes it may be an
occurrence of its own step. How far an account has come is known from two facts of each step that
repeats, the day on which it was last issued and which occurrence that was, however many rounds
there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from riskseg.domain.relations import Relation, fact_column, literal
from riskseg.rules.calendar import Calendar
from riskseg.rules.elements import NO_ACTION
from riskseg.rules.holding import lasts
from riskseg.rules.model import Path
from riskseg.rules.sql import condition_sql, inner, out, text_sql
from riskseg.treatment.calendar import closed_sql, moved
from riskseg.treatment.routes import RouteStep, by_first, route_steps, routes_by_first

# How many days beyond the days of its steps a path looks for the open day of the next one.
_LONGEST_LOOK = 60


def stepped(paths: Sequence[Path], as_of: date) -> list[Relation]:
    """Relations from `placed` to `stepped`: the step that is due, if any, and what comes after it.

    Due is the first step that must be taken and was not; else the latest one that was reached,
    unless it, or a later one, was issued since the account's route began.
    """
    routes = _Routes(
        {first: route_steps(walked) for first, walked in routes_by_first(paths).items()}
    )
    rounds = "".join(f", {value} as {column}" for column, value in _rounds(routes.steps).items())
    return [
        Relation("in_rounds", f"select *{rounds} from placed"),
        _reached_steps(routes),
        _due_steps(routes),
        _next_steps(routes, as_of),
        _stepped(routes),
    ]


@dataclass(frozen=True)
class _Routes:
    """The steps of each route, by the path that it begins with."""

    steps: Mapping[str, Sequence[RouteStep]]

    def sql(self, of_steps: Callable[[Sequence[RouteStep]], str]) -> str:
        """A value for the account's route."""
        return by_first({first: of_steps(steps) for first, steps in self.steps.items()})

    def listed(self, value: Callable[[RouteStep], str], order: str, kind: str) -> str:
        """A value of the step of that order; null where there is none."""
        return self.sql(
            lambda steps: (
                f"(array[{', '.join(map(value, steps))}])[{order}]"
                if steps
                else f"cast(null as {kind})"
            )
        )

    def of_step(
        self,
        order: str,
        value: Callable[[RouteStep, Sequence[RouteStep]], str],
        *,
        only: Callable[[RouteStep], object] = bool,
    ) -> str:
        """An integer worked out for the step of that order, where it is one of those `only`."""
        return self.sql(
            lambda steps: _case(
                [(f"{order} = {s.order}", value(s, steps)) for s in steps if only(s)]
            )
        )


_GOES_ON = f"not {inner('ended')} and {inner('day')} is not null"


def _reached_steps(routes: _Routes) -> Relation:
    """The step that would be due, were it an open day, and in which round."""
    round_of_latest = routes.of_step(
        inner("latest"), lambda s, _: _round(s), only=lambda s: s.repeat
    )
    return Relation(
        "reached_steps",
        f"""
        select *,
            case when {_GOES_ON} then coalesce({inner("must")}, {inner("latest")}) end
                as {inner("reached_order")},
            case when {inner("must")} is null then coalesce({round_of_latest}, 0) else 0 end
                as {inner("due_round")}
        from (
            select *,
                {routes.sql(_must_order)} as {inner("must")},
                {routes.sql(_latest_order)} as {inner("latest")}
            from in_rounds
        ) s
        """,
    )


def _due_steps(routes: _Routes) -> Relation:
    """The step that is due, and the one that comes next: on a closed day the same."""
    reached = inner("reached_order")
    waits = routes.sql(lambda steps: _closed_orders(reached, steps))
    return Relation(
        "due_steps",
        f"""
        select *,
            case when {waits} then null else {reached} end as {inner("due_order")},
            case when {waits} then {reached} else {routes.sql(_next_order)} end
                as {inner("next_order")},
            {waits} as {inner("waits")}
        from reached_steps
        """,
    )


def _next_steps(routes: _Routes, as_of: date) -> Relation:
    """In how many days the next step comes, and on which day of its path the due one came."""
    due, following = inner("due_order"), inner("next_order")
    away = routes.of_step(following, lambda s, steps: f"{_next_day(s, steps)} - {_day(s)}")
    moved_to = routes.sql(lambda steps: _moved(following, steps, as_of))
    due_day = routes.of_step(due, lambda s, steps: _came_due(s, steps, inner("due_round")))
    return Relation(
        "next_steps",
        f"""
        select *,
            case when {_GOES_ON} and not {routes.sql(_clock_stands)} then {moved_to} end
                as {inner("next_in")},
            {due_day} as {inner("due_day")}
        from (
            select *, case when {inner("waits")} then 0 else {away} end as {inner("away")}
            from due_steps
        ) s
        """,
    )


def _stepped(routes: _Routes) -> Relation:
    """What is said of the due step and of the next one."""
    due, following = inner("due_order"), inner("next_order")

    def of_due(value: Callable[[RouteStep], str], kind: str = "varchar") -> str:
        return routes.listed(value, due, kind)

    day_of_leg = routes.of_step(due, lambda s, _: _day(s))
    has_steps = routes.sql(lambda steps: "true" if steps else "false")
    again = f"case when {inner('due_round')} > 0 then '~' || ({inner('due_round')} + 1) else '' end"
    next_action = routes.listed(lambda s: literal(s.step.action), following, "varchar")
    return Relation(
        "stepped",
        f"""
        select *,
            case when {_GOES_ON} then {inner("day")} end as {out("path_day")},
            {of_due(lambda s: str(s.number), "integer")} as {inner("due_step")},
            {of_due(lambda s: literal(s.path.name))} as {inner("due_path")},
            {of_due(lambda s: literal(s.step.key))} || {again} as {inner("due_key")},
            as_of - cast({day_of_leg} - {inner("due_day")} as integer) as {inner("due_on")},
            coalesce({of_due(lambda s: literal(s.step.action))}, {literal(NO_ACTION)})
                as {out("due_action")},
            {of_due(lambda s: text_sql(s.step.template))} as {inner("due_template")},
            {_GOES_ON} and {due} is null and {following} is null and {has_steps}
                as {inner("finished")},
            case when {inner("next_in")} is not null then {next_action} end
                as {out("next_action")},
            as_of + cast({inner("next_in")} as integer) as {out("next_on")}
        from next_steps
        """,
    )


def _clock_stands(steps: Sequence[RouteStep]) -> str:
    """Whether the clock of a route stands: nobody knows when its next step comes."""
    kinds = {kind for s in steps if s.path.held is not None for kind in s.path.held.kinds}
    lasting = [fact_column(lasts(kind).text) for kind in sorted(kinds)]
    return f"({' or '.join(lasting)})" if lasting else "false"


def _case(arms: Sequence[tuple[str, str]]) -> str:
    """The value of the first condition that holds, an integer; null where none does."""
    if not arms:
        return "cast(null as integer)"
    return f"case {' '.join(f'when {when} then {then}' for when, then in arms)} end"


def _rounds(routes: Mapping[str, Sequence[RouteStep]]) -> dict[str, str]:
    """SQL of the round that each of the paths of routes which repeat is in, by column."""
    columns = {}
    for leg in range(max((s.leg + 1 for steps in routes.values() for s in steps), default=0)):
        rounds = {}
        for name, steps in routes.items():
            first = next((s for s in steps if s.leg == leg and s.repeat), None)
            rounds[name] = "0" if first is None else _round_by_day(first)
        if set(rounds.values()) != {"0"}:
            columns[inner(f"round{leg}")] = by_first(rounds)
    return columns


def _round_by_day(first: RouteStep) -> str:
    """The round that a path is in, from the first of the steps that repeat."""
    assert first.repeat is not None
    number = f"coalesce(({_day_ahead(first)} - {first.step.day}) // {first.every}, 0)"
    if first.repeat.at_most is not None:
        number = f"least({number}, {first.repeat.at_most})"
    return f"greatest({number}, 0)"


def _day(s: RouteStep) -> str:
    """The day of the step's path."""
    return inner(f"day{s.leg}")


def _day_ahead(s: RouteStep) -> str:
    """The day of the step's path; before a stretch of closed days, the last of them where the step
    comes before they do."""
    calendar = s.step.calendar
    if calendar is None or calendar.closed == "next":
        return _day(s)
    return f"{_day(s)} + {fact_column(calendar.closed_after)}"


def _round(s: RouteStep) -> str:
    """The round that the step's path is in."""
    return inner(f"round{s.leg}") if s.repeat else "0"


def _day_due(s: RouteStep) -> str:
    """The day of its path on which a step comes due, in the round that the path is in."""
    return f"{s.step.day} + {_round(s)} * {s.every}" if s.repeat else str(s.step.day)


def _next_day(s: RouteStep, steps: Sequence[RouteStep]) -> str:
    """The day of its path on which a step comes due next."""
    if s.step.after is not None:
        return _came_due(s, steps, _round(s))
    if not s.repeat:
        return str(s.step.day)
    return f"{_day_due(s)} + case when {_day_has_come(s)} then {s.every} else 0 end"


def _reached(s: RouteStep, steps: Sequence[RouteStep]) -> str:
    """Whether the day of a step has come, in the round that its path is in; before a stretch of
    closed days, whether it will in their course, where the step comes on the last open day before
    them."""
    terms = [_day_has_come(s), *_taken(s, steps, _round(s))]
    if s.passes_over:
        terms.append(f"coalesce({_day(s)} - {inner('came_ago')} <= {_day_due(s)}, true)")
    return f"({' and '.join(terms)})"


def _day_has_come(s: RouteStep) -> str:
    """The same, whether the condition of the step holds or not."""
    return f"{inner('leg')} >= {s.leg} and {_day_ahead(s)} >= {_day_due(s)}"


def _taken(s: RouteStep, steps: Sequence[RouteStep], round_: str) -> Iterator[str]:
    """What must hold for a step not to be passed over: its condition, and that the step it waits
    for was issued long enough ago, and not answered."""
    if s.step.when is not None:
        yield condition_sql(s.step.when)
    if s.step.after is not None:
        waited = waited_for(s, steps)
        yield _issued_in(waited, steps, round_)
        yield _not_replaced(waited)
        yield f"as_of - {_issued_on(waited)} >= {s.step.after.days}"
        yield from _unanswered(s, steps)


def waited_for(s: RouteStep, steps: Sequence[RouteStep]) -> RouteStep:
    """The step that a step waits for."""
    assert s.step.after is not None
    (waited,) = (w for w in steps if w.leg == s.leg and w.step.key == s.step.after.step)
    return waited


def _unanswered(s: RouteStep, steps: Sequence[RouteStep]) -> Iterator[str]:
    """That no outcome was recorded since the step that a step waits for was issued, if it says
    so."""
    if s.step.after is not None and s.step.after.unanswered:
        waited = waited_for(s, steps)
        outcome = _later_of(waited.outcome, waited.elsewhere.outcome)
        answered = f"{outcome} >= {_issued_on(waited)}"
        yield f"not coalesce({answered}, false)"


def _came_due(s: RouteStep, steps: Sequence[RouteStep], round_: str) -> str:
    """The day of its path on which a step comes due in a round: of one that waits for another, not
    before so many days after that was issued."""
    day = f"{s.step.day} + {round_} * {s.every}" if s.repeat else str(s.step.day)
    if s.step.after is None:
        return day
    waited = waited_for(s, steps)
    waits = f"{_day(s)} - (as_of - {_issued_on(waited)}) + {s.step.after.days}"
    issued = _issued_in(waited, steps, round_)
    return f"greatest({day}, case when {issued} then {waits} else {day} end)"


def _to_come(s: RouteStep, steps: Sequence[RouteStep]) -> str:
    """Whether a step is still to come in the round that its path is in, as conditions stand now."""
    ahead = f"({_day_has_come(s)}) is not true"
    terms = [condition_sql(s.step.when)] if s.step.when is not None else []
    if s.step.after is not None:
        waited = waited_for(s, steps)
        issued = _issued_in(waited, steps, _round(s))
        terms.append(f"(not {issued} or {_not_replaced(waited)})")
        waits = f"as_of - {_issued_on(waited)} < {s.step.after.days}"
        later = [_reached(o, steps) for o in steps if o.leg == s.leg and o.order > s.order]
        overtaken = f" and not coalesce({' or '.join(later)}, false)" if later else ""
        here = f"{inner('leg')} = {s.leg}"
        ahead = f"({ahead} or {here} and {issued} and {waits}{overtaken})"
        terms += [f"(not {issued} or {term})" for term in _unanswered(s, steps)]
    return " and ".join([ahead, *terms])


def _still_due(s: RouteStep) -> str:
    """Whether a step that was reached has not been due for too long, on closed days that have just
    ended apart."""
    if s.path.due_for is None:
        return "true"
    calendar = s.step.calendar
    closed = f" - {fact_column(calendar.closed_before)}" if calendar is not None else ""
    return f"{_day(s)}{closed} < {_day_due(s)} + {s.path.due_for}"


def _later_of(fact: str, other: str) -> str:
    """The later of two dates; of one that is unknown, the other."""
    return f"greatest({fact_column(fact)}, {fact_column(other)})"


def _issued_on(s: RouteStep) -> str:
    """The day on which a step was last issued, or what counts as the step on another path."""
    return _later_of(s.issued, s.elsewhere.issued)


def _not_replaced(s: RouteStep) -> str:
    """That no other action was issued in the place of a step, when it was last issued: what comes
    after a notice waits for the notice."""
    return f"coalesce({fact_column(s.instead)} < {_issued_on(s)}, true)"


def _since_began(day: str, steps: Sequence[RouteStep]) -> str:
    """Whether a day lies between the beginning of the route and the as-of date, which is not
    included; what was issued before the route began counts no more."""
    since = f"{inner('begun_ago')} - {first_day(steps)}"
    return f"coalesce(as_of - {day} between 1 and {since}, false)"


def _issued(s: RouteStep, steps: Sequence[RouteStep]) -> str:
    """Whether a step was issued, or the same on another path, on a day before this."""
    return _since_began(_issued_on(s), steps)


def _issued_in(s: RouteStep, steps: Sequence[RouteStep], round_: str) -> str:
    """Whether a step was issued in a round, or in a later one. What was done on other paths counts
    for the first round."""
    if not s.repeat:
        return _issued(s, steps)
    here = _since_began(fact_column(s.issued), steps)
    elsewhere = _since_began(fact_column(s.elsewhere.issued), steps)
    occurrence = f"coalesce({fact_column(s.occurrence)}, 1)"
    return f"({here} and {occurrence} > {round_} or {elsewhere} and {round_} < 1)"


def first_day(steps: Sequence[RouteStep]) -> int:
    """The day, of the first path of a route, from which on its steps are issued."""
    return min(0, steps[0].step.day) if steps else 0


def _must_order(steps: Sequence[RouteStep]) -> str:
    """The first step that must be taken and was not; of one that repeats, only for the first
    time."""
    return _case(
        [
            (
                f"{inner('leg')} >= {s.leg} and {_day_ahead(s)} >= {s.step.day} "
                f"and {' and '.join([f'not {_issued(s, steps)}', *_taken(s, steps, '0')])}",
                str(s.order),
            )
            for s in steps
            if s.step.must
        ]
    )


def _latest_order(steps: Sequence[RouteStep]) -> str:
    """The latest step that was reached, unless it or a later one was issued, or it is too old."""
    arms: list[tuple[str, str]] = []
    legs = [[s for s in steps if s.leg == leg] for leg in range(steps[-1].leg + 1 if steps else 0)]
    for of_leg in reversed(legs):
        # An occurrence in a later round is later than every one in this.
        arms += [(_issued_in(s, steps, f"{_round(s)} + 1"), "null") for s in of_leg if s.repeat]
        for s in reversed(of_leg):
            due = f"case when {_still_due(s)} then {s.order} end" if s.path.due_for else s.order
            issued = _issued_in(s, steps, _round(s))
            arms += [(issued, "null"), (_reached(s, steps), str(due))]
    return _case(arms)


def _by_calendar(steps: Sequence[RouteStep]) -> dict[Calendar, str]:
    """The orders of the steps of each calendar, as SQL lists them."""
    found: dict[Calendar, list[str]] = {}
    for s in steps:
        if s.step.calendar is not None:
            found.setdefault(s.step.calendar, []).append(str(s.order))
    return {calendar: ", ".join(orders) for calendar, orders in found.items()}


def _closed_orders(order: str, steps: Sequence[RouteStep]) -> str:
    """Whether the as-of date is closed for the step of that order."""
    closed = [
        f"({order} in ({orders}) and {closed_sql(calendar)})"
        for calendar, orders in _by_calendar(steps).items()
    ]
    return f"coalesce({' or '.join(closed)}, false)" if closed else "false"


def _moved(order: str, steps: Sequence[RouteStep], as_of: date) -> str:
    """After how many days the step of that order comes: when its day does, or on the open day that
    it is moved to."""
    away = inner("away")
    days_of_steps = [day for s in steps for day in (s.step.day, s.step.day + s.every)]
    most = max(days_of_steps) - min(days_of_steps) + _LONGEST_LOOK if steps else 0
    arms = []
    for calendar, orders in _by_calendar(steps).items():
        days = ", ".join(map(str, moved(calendar, as_of, most)))
        place = f"case when {away} < 0 then 1 else {away} + 1 end"
        later = f"coalesce((array[{days}])[{place}], {away})"
        arms.append(f"when {order} in ({orders}) then {later}")
    return f"case {' '.join(arms)} else {away} end" if arms else away


def _next_order(steps: Sequence[RouteStep]) -> str:
    """The first step whose day is still to come, on this path or on one it goes on to, as
    conditions stand now."""
    arms: list[tuple[str, str]] = []
    for s in steps:
        arms.append((_to_come(s, steps), str(s.order)))
        if s.repeat and s.number == len(s.path.steps):
            first = s.order - len(s.path.repeated) + 1
            most = s.repeat.at_most
            arms.append(("true" if most is None else f"{_round(s)} < {most}", str(first)))
    return _case(arms)
