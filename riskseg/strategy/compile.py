"""A checked strategy as SQL: from one row of facts an account to its decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from riskseg.domain.facts import Fact
from riskseg.domain.relations import Relation, literal, quoted
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


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days of a path, first and last included (None: without end), on which the same is due.

    `path` is the one in force (after `then`, another than the segment's), and `offset` the day
    of the segment's path on which its day 0 falls. `step` counts from 1 within that path.
    """

    first: int | None
    last: int | None
    path: str
    offset: int
    step: int | None
    action: str
    template: str | None
    next_action: str | None
    next_day: int | None


def stretches(path: Path, paths: Sequence[Path]) -> list[Stretch]:
    """All days of a path and of those it goes on to, in order, without gap or overlap."""
    by_name = {p.name: p for p in paths}
    steps: list[tuple[int, Path, int, int]] = []  # day, path in force, its offset, step number
    begins: list[tuple[int | None, Path, int]] = [(None, path, 0)]
    here, offset = path, 0
    while True:
        for number, step in enumerate(here.steps, start=1):
            steps.append((offset + step.day, here, offset, number))
        if here.then is None:
            break
        over = offset + here.steps[-1].day + here.due_for if here.steps else offset
        here, offset = by_name[here.then], over
        begins.append((offset, here, offset))
    starts: set[int] = {day for day, _, _ in begins if day is not None}
    for i, (day, owner, _, _) in enumerate(steps):
        after = steps[i + 1][0] if i + 1 < len(steps) else None
        starts.add(day)
        end = day + owner.due_for
        if after is None or end < after:
            starts.add(end)
    found = []
    bounds = sorted(starts)
    lows: list[int | None] = [None, *bounds]
    highs: list[int | None] = [*bounds, None]
    for first, beyond in zip(lows, highs, strict=True):
        last = None if beyond is None else beyond - 1
        at = next((day for day in (first, last) if day is not None), 0)
        begun = [b for b in begins if b[0] is None or b[0] <= at]
        _, owner, offset = begun[-1]
        due = next((s for s in reversed(steps) if s[0] <= at < s[0] + s[1].due_for), None)
        ahead = next((s for s in steps if s[0] > at), None)
        taken = due[1].steps[due[3] - 1] if due else None
        found.append(
            Stretch(
                first,
                last,
                due[1].name if due else owner.name,
                due[2] if due else offset,
                due[3] if due else None,
                taken.action if taken else NO_ACTION,
                taken.template if taken else None,
                ahead[1].steps[ahead[3] - 1].action if ahead else None,
                ahead[0] if ahead else None,
            )
        )
    return found


def compile_strategy(strategy: Strategy, as_of: date) -> list[Relation]:
    """Relations from `scored` to `decided`, one row an account.

    `scored` has snap and a column for each of `strategy.facts`. `decided` adds, under names of
    their own: each band and scheme; for each, the number of the row that matched (`NAME__row`);
    segment, path, path_day, step, action, channel, template, next_action, next_on, priority,
    guards, rows_matched and facts_hash. What is decided is named by `out`, and what leads to it
    begins with `=`, `!` or `?`: no fact's name does.
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
    """A decision's column, quoted, apart from any fact of the same name."""
    return quoted(f"={name}")


def _sql(expression: Expression) -> str:
    return to_sql(expression)


def _holds(condition: Condition) -> str:
    """The condition as plain true or false."""
    sql = _sql(condition.expression)
    if not condition.expression.type.nullable:
        return sql
    return f"coalesce({sql}, {'true' if condition.unknown else 'false'})"


def _banded(bands: Sequence[Band]) -> Relation:
    columns = []
    for band in bands:
        p = quoted(band.of)
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
        columns.append(f"{case} as {out(scheme.name + '__row')}")
    return Relation("tiered", f"select {', '.join(['*', *columns])} from banded")


def _tier_names(schemes: Sequence[Scheme]) -> list[str]:
    columns = []
    for scheme in schemes:
        tier = _by_row(out(scheme.name + "__row"), [row.tier for row in scheme.rows])
        columns.append(f"{tier} as {out(scheme.name)}")
    return columns


def _segmented(strategy: Strategy) -> list[Relation]:
    own = {b.name for b in strategy.bands} | {s.name for s in strategy.schemes}
    columns = [out(c) if c in own else quoted(c) for c in strategy.columns]
    named = ", ".join(["*", *_tier_names(strategy.schemes)])
    return [
        Relation("named", f"select {named} from tiered"),
        *first_row(strategy.rows, columns, "named", "segmented", out("segment__row")),
    ]


def _by_row(column: str, values: Sequence[str]) -> str:
    """A text for each row of a table, by the row's number."""
    return f"(array[{', '.join(map(literal, values))}])[{column}]"


def _placed(strategy: Strategy, paths: Sequence[Path], as_of: date) -> Relation:
    """Segment, the segment's path, its day 0, and whether it has ended. `paths` are in force."""
    row = out("segment__row")
    first = _by_row(row, [strategy.path_of(r.segment, as_of).name for r in strategy.rows])
    segment = _by_row(row, [r.segment for r in strategy.rows])
    starts = " ".join(f"when {literal(p.name)} then {_sql(p.starts)}" for p in paths)
    ends = " ".join(
        f"when {literal(p.name)} then {_holds(p.ends_when)}" for p in paths if p.ends_when
    )
    ended = f"case {quoted('=first')} {ends} else false end" if ends else "false"
    return Relation(
        "placed",
        f"select *, {ended} as {quoted('=ended')}, as_of - (case {quoted('=first')} {starts} end) "
        f"as {quoted('=day')} from (select *, {segment} as {out('segment')}, "
        f"{first} as {quoted('=first')} from segmented) s",
    )


def _stepped(strategy: Strategy, paths: Sequence[Path]) -> Relation:
    """The stretch of the path the account is on: exactly one, or none where day 0 is unknown."""
    rows = []
    for path in paths:
        for s in stretches(path, paths):
            action = strategy.action(s.action)
            rows.append(
                f"({literal(path.name)}, {_int(s.first, -(10**9))}, {_int(s.last, 10**9)}, "
                f"{literal(s.path)}, {s.offset}, {_int(s.step)}, {literal(s.action)}, "
                f"{_text(action.channel if action else None)}, {_text(s.template)}, "
                f"{_text(s.next_action)}, {_int(s.next_day)})"
            )
    values = ", ".join(rows)
    gone, day, first, none = quoted("=ended"), quoted("=day"), quoted("=first"), literal(NO_ACTION)
    return Relation(
        "stepped",
        f"select p.*, coalesce(t.path, p.{first}) as {out('path')}, "
        f"case when not {gone} then p.{day} - coalesce(t.begun, 0) end as {out('path_day')}, "
        f"case when not {gone} then t.step end as {quoted('=due_step')}, "
        f"case when {gone} then {none} else coalesce(t.action, {none}) end as {quoted('=due')}, "
        f"t.template as {quoted('=due_template')}, "
        f"case when not {gone} then t.next_action end as {out('next_action')}, "
        f"case when not {gone} then p.as_of + cast(t.next_day - p.{day} as integer) end "
        f"as {out('next_on')} from placed p left join (values {values}) "
        "t(first_path, first_day, last_day, path, begun, step, action, channel, template, "
        f"next_action, next_day) on t.first_path = p.{first} "
        f"and p.{day} between t.first_day and t.last_day",
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
    due = quoted("=due")
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
    text = f"cast({quoted(fact.name)} as varchar)"
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
        f"{literal(s.name + '#')} || {out(s.name + '__row')} || ';' || " for s in strategy.schemes
    )
    rows = _by_row(out("segment__row"), [r.id for r in strategy.rows])
    priority = "cast(null as decimal(18, 4))"
    if strategy.priority is not None:
        priority = prioritised(strategy.priority)
    due = quoted("=due")
    facts = ", ".join(_hashed(strategy.facts[name]) for name in sorted(strategy.facts))
    # Where a guard replaced the step's action its template no longer fits.
    acts = f"{action} <> {literal(NO_ACTION)}"
    template = f"case when {action} = {due} and {acts} then {quoted('=due_template')} end"
    step = f"case when {acts} then {quoted('=due_step')} end"
    return Relation(
        "decided",
        f"select *, {step} as {out('step')}, {template} as {out('template')}, "
        f"case {action} {channels} end as {out('channel')}, {priority} as {out('priority')}, "
        f"{listed} as {out('guards')}, {schemes}'segments#' || {rows} as {out('rows_matched')}, "
        f"md5(concat_ws('|', {facts})) as {out('facts_hash')} from acted",
        stored=True,
    )
