"""A checked strategy as SQL: from one row of facts an account to its decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from riskseg.domain.facts import Fact
from riskseg.domain.relations import Relation, fact_column, literal, quoted
from riskseg.expressions import Expression, to_sql
from riskseg.strategy.checked import (
    NO_ACTION,
    UNSCORED,
    Band,
    Condition,
    Guard,
    Path,
    Scheme,
    Strategy,
    in_force,
)
from riskseg.strategy.first_row import first_row
from riskseg.strategy.route import length, route, stretches


def compile_strategy(strategy: Strategy, as_of: date) -> list[Relation]:
    """Relations from `scored` to `decided`, one row an account.

    `scored` has snap and the `fact_column` of each of `strategy.facts`. `decided` adds each band
    and scheme, and segment, path, path_day, step, action, channel, template, next_action,
    next_on, priority, guards, rows_matched and facts_hash.

    The first character of a column says what it holds, so that no name a person chose can stand
    for another column: `@` a fact, `=` what is decided (`out`), `#` the row of a tier scheme that
    matched (`row_of`), `!` that a guard is in force, `?` that it is so for want of knowing, and
    `~` what leads to a decision (`inner`).
    """
    guards = in_force(strategy.guards, as_of)
    paths = in_force(strategy.paths, as_of)
    return [
        _banded(strategy.bands),
        _tiered(strategy.schemes),
        *_segmented(strategy),
        _placed(strategy, paths, as_of),
        _stepped(strategy, paths),
        guarded(guards),
        _acted(strategy, guards),
        _decided(strategy, guards),
    ]


def out(name: str) -> str:
    """The quoted column of something decided."""
    return quoted(f"={name}")


def row_of(scheme: str) -> str:
    """The quoted column of the number of the row of a tier scheme that matched, from 1."""
    return quoted(f"#{scheme}")


def inner(name: str) -> str:
    """A quoted column on the way to a decision: `segment_row` (the row of the segment table that
    matched, from 1), `first` (the path of the segment), `leg` (which path of its route the
    account is on, from 0), `day0`, `day1`, … (the day of each of them), `day`, `ended`, `due`,
    `due_step`, `due_template`."""
    return quoted(f"~{name}")


def _sql(expression: Expression) -> str:
    return to_sql(expression, fact_column)


def _holds(condition: Condition) -> str:
    """The condition as plain true or false."""
    sql = _sql(condition.expression)
    if not condition.expression.type.nullable:
        return sql
    return f"coalesce({sql}, {'true' if condition.unknown else 'false'})"


def _banded(bands: Sequence[Band]) -> Relation:
    columns = []
    for band in bands:
        p = fact_column(band.of)
        *lower, (top, _) = band.cuts
        arms = "".join(f" when {p} < {cut:f} then {literal(level)}" for level, cut in lower)
        columns.append(
            f"case when {p} is null then {literal(UNSCORED)}{arms} else {literal(top)} end as "
            f"{out(band.name)}"
        )
    return Relation("banded", f"select {', '.join(['*', *columns])} from scored")


def _tiered(schemes: Sequence[Scheme]) -> Relation:
    columns = []
    for scheme in schemes:
        arms, rest = [], str(len(scheme.rows))
        for number, row in enumerate(scheme.rows, start=1):
            if row.when is None:
                rest = str(number)
                break
            arms.append(f"when {_holds(row.when)} then {number}")
        case = f"case {' '.join(arms)} else {rest} end" if arms else rest
        columns.append(f"{case} as {row_of(scheme.name)}")
    return Relation("tiered", f"select {', '.join(['*', *columns])} from banded")


def _tier_names(schemes: Sequence[Scheme]) -> list[str]:
    columns = []
    for scheme in schemes:
        tier = _by_row(row_of(scheme.name), [row.tier for row in scheme.rows])
        columns.append(f"{tier} as {out(scheme.name)}")
    return columns


def _segmented(strategy: Strategy) -> list[Relation]:
    own = {b.name for b in strategy.bands} | {s.name for s in strategy.schemes}
    columns = [out(c) if c in own else fact_column(c) for c in strategy.columns]
    named = ", ".join(["*", *_tier_names(strategy.schemes)])
    return [
        Relation("named", f"select {named} from tiered"),
        *first_row(strategy.rows, columns, "named", "segmented", inner("segment_row")),
    ]


def _by_row(column: str, values: Sequence[str]) -> str:
    """A text for each row of a table, by the row's number."""
    return f"(array[{', '.join(map(literal, values))}])[{column}]"


def _placed(strategy: Strategy, paths: Sequence[Path], as_of: date) -> Relation:
    """Segment, the route of paths it leads to, and the account's place on it. `paths` are in force.

    Day 0 of the first path of a route is the date that it `starts`. A path gone on to has its day
    0 when the one before is over, and not before its own `starts`; while that is unknown the
    account stays where it is.
    """
    row = inner("segment_row")
    first = _by_row(row, [strategy.path_of(r.segment, as_of).name for r in strategy.rows])
    segment = _by_row(row, [r.segment for r in strategy.rows])
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
    own = f"(as_of - {_sql(walked[leg].starts)})"
    if leg == 0:
        return own
    after = f"({inner(f'day{leg - 1}')} - {length(walked[leg - 1])})"
    # `least` would take a day that is known for one that is not.
    return f"(case when {after} <= {own} then {after} when {own} < {after} then {own} end)"


def _ended(walked: Sequence[Path]) -> str:
    """Whether a path, or one that led to it, says that there is nothing more to do."""
    ends = dict.fromkeys(_holds(path.ends_when) for path in walked if path.ends_when)
    return f"({' or '.join(ends)})" if ends else "false"


def _stepped(strategy: Strategy, paths: Sequence[Path]) -> Relation:
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
                    f"({literal(path.name)}, {leg}, {_int(s.first, -(10**9))}, "
                    f"{_int(s.last, 10**9)}, {_int(s.step)}, {literal(s.action)}, "
                    f"{_text(s.template)}, "
                    f"{_text(s.next_action)}, {_int(s.next_day)}, {_int(later)}, "
                    f"{_text(later_step.action if later_step else None)}, "
                    f"{_int(later_step.day if later_step else None)})"
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


def _int(value: int | None, otherwise: int | None = None) -> str:
    value = otherwise if value is None else value
    return "cast(null as integer)" if value is None else str(value)


def _text(value: str | None) -> str:
    return "cast(null as varchar)" if value is None else literal(value)


def guarded(guards: Sequence[Guard]) -> Relation:
    """Whether each guard is in force for the account, as `!NAME`, and whether that is for want of
    knowing, as `?NAME`; from `stepped`."""
    columns = []
    for guard in guards:
        condition = _sql(guard.when.expression)
        if guard.negated:
            condition = f"not coalesce({condition}, false)"
            sure = condition
        else:
            sure = _holds(guard.when)
        columns.append(f"{sure} as {quoted('!' + guard.name)}")
        if guard.when.expression.type.nullable and (guard.negated or guard.when.unknown):
            unknown = f"({_sql(guard.when.expression)}) is null"
            columns.append(f"{unknown} as {quoted('?' + guard.name)}")
    return Relation("guarded", f"select {', '.join(['*', *columns])} from stepped")


def _forbids(guards: Sequence[Guard], action: str) -> str:
    """Whether any guard in force forbids the action."""
    holding = [quoted("!" + g.name) for g in guards if action in g.never]
    return f"({' or '.join(holding)})" if holding else "false"


def _acted(strategy: Strategy, guards: Sequence[Guard]) -> Relation:
    """The action that is lawful: the step's own, else the mildest lawful `instead`, else none."""
    due = inner("due")
    used = {s.action for p in strategy.paths for s in p.steps}
    arms = []
    for action in strategy.actions:
        if action.name not in used:
            continue
        forbidden = _forbids(guards, action.name)
        if forbidden == "false":
            continue
        held = [quoted("!" + g.name) for g in guards if g.kind == "hold"]
        insteads = []
        for other in strategy.actions:  # from mild to harsh
            offering = [
                quoted("!" + g.name)
                for g in guards
                if g.instead == other.name and action.name in g.never
            ]
            if offering:
                lawful = _forbids(guards, other.name)
                insteads.append(
                    f"when ({' or '.join(offering)}) and not {lawful} then {literal(other.name)}"
                )
        nothing = literal(NO_ACTION)
        rest = f"case {' '.join(insteads)} else {nothing} end" if insteads else nothing
        if held:
            rest = f"case when {' or '.join(held)} then {nothing} else {rest} end"
        arms.append(f"when {due} = {literal(action.name)} and {forbidden} then {rest}")
    case = f"case {' '.join(arms)} else {due} end" if arms else due
    return Relation("acted", f"select *, {case} as {out('action')} from guarded")


def prioritised(priority: Expression) -> str:
    return f"cast({_sql(priority)} as decimal(18, 4))"


def _hashed(fact: Fact) -> str:
    """A fact as text that no other value of it has, nor a value and a part of the next."""
    text = f"cast({fact_column(fact.name)} as varchar)"
    if fact.kind.is_textual:
        text = f"replace(replace({text}, '\\', '\\\\'), '|', '\\|')"
    return f"coalesce('=' || {text}, '?')"


def _decided(strategy: Strategy, guards: Sequence[Guard]) -> Relation:
    action = out("action")
    channels = " ".join(
        f"when {literal(a.name)} then {literal(a.channel)}" for a in strategy.actions
    )
    names = []
    for guard in guards:
        shown = literal(guard.name)
        if guard.when.expression.type.nullable and (guard.negated or guard.when.unknown):
            unknown, doubted = quoted("?" + guard.name), literal(guard.name + "?")
            shown = f"case when {unknown} then {doubted} else {shown} end"
        names.append(f"case when {quoted('!' + guard.name)} then {shown} end")
    listed = f"concat_ws(';', {', '.join(names)})" if names else "''"
    schemes = "".join(
        f"{literal(s.name + '#')} || {row_of(s.name)} || ';' || " for s in strategy.schemes
    )
    rows = _by_row(inner("segment_row"), [r.id for r in strategy.rows])
    priority = "cast(null as decimal(18, 4))"
    if strategy.priority is not None:
        priority = prioritised(strategy.priority)
    due = inner("due")
    facts = ", ".join(_hashed(strategy.facts[name]) for name in sorted(strategy.facts))
    # Where a guard replaced the step's action its template no longer fits.
    acts = f"{action} <> {literal(NO_ACTION)}"
    template = f"case when {action} = {due} and {acts} then {inner('due_template')} end"
    step = f"case when {acts} then {inner('due_step')} end"
    return Relation(
        "decided",
        f"select *, {step} as {out('step')}, {template} as {out('template')}, "
        f"case {action} {channels} end as {out('channel')}, {priority} as {out('priority')}, "
        f"{listed} as {out('guards')}, {schemes}'segments#' || {rows} as {out('rows_matched')}, "
        f"md5(concat_ws('|', {facts})) as {out('facts_hash')} from acted",
        stored=True,
    )
