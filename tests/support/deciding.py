"""A slow decider in plain Python, one account at a time: what the compiled SQL must agree with.

It shares nothing with the compiler but the checked strategy; conditions are given as functions
beside their text, so that not even the expression language is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from holidays import country_holidays

from riskseg.rules.calendar import Calendar
from riskseg.rules.demand import Demand
from riskseg.rules.elements import Condition, Dated
from riskseg.rules.model import Path, Step, Strategy
from riskseg.rules.quiet import QuietPeriod, quiet_fact
from riskseg.rules.rule import Restriction
from riskseg.strategy.kinds.contact_rule import ContactRule
from riskseg.strategy.kinds.hold import Hold

Facts = Mapping[str, Any]
# True, false or None for unknown; or a value.
Reading = Callable[[Facts], Any]


def over(path: Path) -> int:
    """The day of a path on which its last step is not due any more."""
    if not path.steps:
        return 0
    last = occurrences(path, 0)[-1]
    return last[2] + (path.due_for or 1)


def occurrences(path: Path, until: int) -> list[tuple[int, Step, int, int]]:
    """The steps of a path, again and again, each with its number, its day and its occurrence: all
    that come at most so often, or those of 200 days after a day and before."""
    found = [(n, step, step.day, 1) for n, step in enumerate(path.steps, start=1)]
    if path.repeat is None:
        return found
    start = [step.key for step in path.steps].index(path.repeat.start)
    again = found[start:]
    times, day = 0, 0
    while times != path.repeat.at_most and (path.repeat.at_most or day <= until + 200):
        times += 1
        day = times * path.repeat.every
        found += [(n, step, first + day, times + 1) for n, step, first, _ in again]
    return found


def walk(
    first: Path, paths: Sequence[Path], starts: Callable[[Path], date | None], as_of: date
) -> tuple[list[Path], date | None, list[tuple[Path, date | None]]]:
    """The paths walked up to the one an account is on, the day 0 of that one, and those ahead with
    the day 0 each would have as things stand."""
    by_name = {p.name: p for p in paths}
    walked, day0 = [first], starts(first)
    while walked[-1].then is not None:
        following = _following(walked[-1], day0, by_name, starts)
        if following is None or following > as_of:
            break
        walked, day0 = [*walked, by_name[walked[-1].then]], following
    ahead: list[tuple[Path, date | None]] = []
    here, begun = walked[-1], day0
    while here.then is not None:
        begun = _following(here, begun, by_name, starts)
        here = by_name[here.then]
        ahead.append((here, begun))
    return walked, day0, ahead


def _following(
    path: Path,
    day0: date | None,
    by_name: Mapping[str, Path],
    starts: Callable[[Path], date | None],
) -> date | None:
    """Day 0 of the path gone on to: when this one is over, and not before its own `starts`."""
    assert path.then is not None
    own = starts(by_name[path.then])
    if day0 is None or own is None:
        return None
    return max(own, day0 + timedelta(days=over(path)))


def decide(
    strategy: Strategy, facts: Facts, as_of: date, readings: Mapping[str, Reading]
) -> dict[str, Any]:
    """An account's decision, less facts_hash and what only a run knows."""
    facts = {**facts, "as_of": as_of}
    out: dict[str, Any] = {}
    rows: list[str] = []
    for band in strategy.bands:
        p = facts[band.of]
        out[band.name] = "unscored"
        if p is not None:
            below = [level for level, cut in band.cuts if p < cut]
            out[band.name] = below[0] if below else band.cuts[-1][0]
    for scheme in strategy.schemes:
        for number, row in enumerate(scheme.rows, start=1):
            if row.when is None or _holds(row.when, facts, readings):
                out[scheme.name] = row.tier
                rows.append(f"{scheme.name}#{number}")
                break
    seen = {**facts, **out}
    matched = next(
        row
        for row in strategy.rows
        if all(c is None or seen[n] in c for n, c in zip(strategy.columns, row.cells, strict=True))
    )
    out["segment"] = matched.segment
    rows.append(f"segments#{matched.id}")
    out["rows_matched"] = ";".join(rows)
    guards = [g for g in strategy.guards if _effective(g, as_of)]
    first = path_walked(strategy, matched.segment, facts)
    placed, due, calendar = _placed(strategy, first, facts, as_of, readings)
    out |= placed
    in_force = [g for g in guards if _in_force(g, facts, readings)]
    out["guards"] = ";".join(
        g.name + ("?" if _in_doubt(g, facts, readings) else "") for g in in_force
    )
    asked = _asked(strategy, due, in_force, facts, readings)
    if asked is not None:
        asked_duty, asked_action = asked
        if asked_action == "none":
            first = strategy.action(asked_duty.actions[0])
            assert first is not None
            wait = next_open(first.calendar, as_of, 0)
            out |= {"next_action": first.name, "next_on": as_of + timedelta(days=wait)}
        elif due != "none":
            tomorrow = as_of + timedelta(days=next_open(calendar, as_of, 1))
            out |= {"next_action": due, "next_on": tomorrow}
        due, out["step"], out["template"] = asked_action, None, asked_duty.template
        asked_of = strategy.action(due)
        calendar = asked_of.calendar if asked_of else None
    action = _lawful(strategy, due, in_force)
    out |= {"due_action": due, "action": action}
    against = [g for g in in_force if due in g.never]
    days = [_lawful_on(guard, facts) for guard in against]
    if action == "none" and against and all(days):
        day = max(day for day in days if day)
        while not _possible(strategy, due, calendar, day):
            day += timedelta(days=1)
        out |= {"next_action": due, "next_on": day}
    if action == "none":
        out["step"] = None
    if action != due or action == "none":
        out["template"] = None
    found = strategy.action(action)
    out["channel"] = found.channel if found else None
    if strategy.priority is not None:
        out["priority"] = readings[strategy.priority.text](facts)
    return out


def _holds(condition: Condition, facts: Facts, readings: Mapping[str, Reading]) -> bool:
    value = readings[condition.expression.text](facts)
    return condition.unknown if value is None else bool(value)


def _effective(guard: Dated, as_of: date) -> bool:
    begun = guard.effective_from is None or guard.effective_from <= as_of
    return begun and (guard.effective_to is None or as_of <= guard.effective_to)


def _in_force(guard: Restriction, facts: Facts, readings: Mapping[str, Reading]) -> bool:
    if isinstance(guard, Hold) and guard.event is not None:
        return bool(facts[f"lasting {guard.event}"])
    if isinstance(guard, ContactRule):
        lawful_on = _lawful_on(guard, facts)
        return lawful_on is None or facts["as_of"] < lawful_on
    if guard.kind == "requirement":  # in force until what it needs is surely so
        return readings[guard.when.expression.text](facts) is not True
    return _holds(guard.when, facts, readings)


def _asked(
    strategy: Strategy,
    due: str,
    in_force: Sequence[Restriction],
    facts: Facts,
    readings: Mapping[str, Reading],
) -> tuple[Demand, str] | None:
    """The open duty with the earliest deadline, and the action that it puts in the place of the
    one that is due; None where that one does."""
    as_of = facts["as_of"]
    owed = []
    for duty in strategy.duties:
        since = readings[duty.since.text](facts)
        issued = [facts.get(f"last issued {action}") for action in duty.actions]
        met = since is not None and any(day is not None and day >= since for day in issued)
        begun = since is not None and since <= as_of and _effective(duty, as_of)
        if begun and not met and _holds(duty.when, facts, readings):
            owed.append((since + timedelta(days=duty.days_within), duty))
    if not owed:
        return None
    earliest = min(deadline for deadline, _ in owed)
    duty = next(duty for deadline, duty in owed if deadline == earliest)
    forbidden = {action for guard in in_force for action in guard.never}
    if due in duty.actions and due not in forbidden:
        return None
    actions = [strategy.action(name) for name in duty.actions]
    open_ones = [a.name for a in actions if a is not None and is_open(a.calendar, as_of)]
    lawful = [name for name in open_ones if name not in forbidden]
    return duty, next(iter([*lawful, *open_ones]), "none")


def _lawful_on(guard: Restriction, facts: Facts) -> date | None:
    """The first day on which a rule, or a part of it, forbids nothing more, if that is known."""
    if not isinstance(guard, ContactRule):
        return None
    as_of: date = facts["as_of"]
    days = [as_of]
    if guard.limit is not None and facts[guard.limit.fact] is not None:
        days.append(facts[guard.limit.fact])
    if guard.quiet:
        days.append(as_of + timedelta(days=facts[quiet_fact(guard.quiet)]))
    if guard.hours is not None:
        if facts[guard.hours.wait] is None:
            return None
        days.append(as_of + timedelta(days=facts[guard.hours.wait]))
    return max(days)


def _possible(strategy: Strategy, action: str, calendar: Calendar | None, day: date) -> bool:
    """Whether a day is open, and no rule is quiet about an action."""
    quiet = (
        period
        for guard in strategy.guards
        if isinstance(guard, ContactRule) and action in guard.never and _effective(guard, day)
        for period in guard.quiet
    )
    return is_open(calendar, day) and not any(_falls_in(period, day) for period in quiet)


def _falls_in(period: QuietPeriod, day: date) -> bool:
    if period.first.count("-") == 2:
        return date.fromisoformat(period.first) <= day <= date.fromisoformat(period.last)
    first, last = (tuple(map(int, end.split("-"))) for end in (period.first, period.last))
    of_year = (day.month, day.day)
    return first <= of_year <= last or (first > last and (of_year >= first or of_year <= last))


def _in_doubt(guard: Restriction, facts: Facts, readings: Mapping[str, Reading]) -> bool:
    by_event = isinstance(guard, Hold) and guard.event is not None
    dated = isinstance(guard, ContactRule)
    return not by_event and not dated and readings[guard.when.expression.text](facts) is None


def _placed(
    strategy: Strategy,
    first: Path,
    facts: Facts,
    as_of: date,
    readings: Mapping[str, Reading],
) -> tuple[dict[str, Any], str, Calendar | None]:
    began = begins_on(strategy, first, facts, readings)

    def starts(path: Path) -> date | None:
        own = own_start(path, facts, readings)
        begins = began if path == first else own
        if begins is None:
            return None
        held = path.held
        if path == first and held is not None and own is not None and begins > own:
            held = path.held_since_entry
        if path != first and path.starts.text == "entered_on":
            return date.min  # such a path begins when the one before is over
        return begins + timedelta(days=facts[held.fact] if held is not None else 0)

    walked, day0, ahead = walk(first, strategy.paths, starts, as_of)
    here = walked[-1]
    ended = any(p.ends_when and _holds(p.ends_when, facts, readings) for p in walked)
    if day0 is None or ended:
        nothing = dict.fromkeys(("path_day", "step", "template", "next_action", "next_on"))
        return {"path": here.name, **nothing}, "none", None
    day = (as_of - day0).days
    assert began is not None
    step, action, template, calendar = _due(
        strategy,
        walked,
        [*walked, *(path for path, _ in ahead)],
        facts,
        starts,
        readings,
        began,
    )
    whole = [*walked, *(path for path, _ in ahead)]
    every_step = [step for path in whole for step in path.steps]
    since = began + timedelta(days=min(0, every_step[0].day) if every_step else 0)

    def coming(path: Path, day: int | None) -> list[tuple[str, int | None]]:
        """The steps of a path that are to come, and in how many days."""
        found: list[tuple[str, int | None]] = []
        for _, s, on, k in occurrences(path, day or 0):
            waits, answered = waiting(whole, path, s, k, since, facts)
            if answered or passed_over(s, facts, readings):
                continue
            if day is None:
                return [(s.action, None)]
            on_its_day = is_reached(s, on, day, as_of)
            passed = on_its_day and day - on > came_ago(strategy, first, facts)
            if waits is not None:
                on = max(on, day + (waits - as_of).days)
            waited = s.after is None or (waits is not None and waits <= as_of)
            if on_its_day and waited:
                if not passed:
                    found = []  # what still waits is overtaken
            elif not on_its_day or waits is not None:
                found.append((s.action, next_open(s.calendar, as_of, on - day)))
        return found

    to_come = coming(here, day)
    for path, begun in ahead:
        to_come = to_come or coming(path, None if begun is None else (as_of - begun).days)
    if step is not None and not is_open(calendar, as_of):
        to_come, step, template = [(action, next_open(calendar, as_of, 0))], None, None
        action = "none"
    every = [*walked, *(path for path, _ in ahead)]
    kinds = {kind for path in every if path.held for kind in path.held.kinds}
    if any(facts[f"lasting {kind}"] for kind in kinds):
        to_come = []
    next_action, days = to_come[0] if to_come else (None, None)
    if days is None:  # nothing is said while day 0 of the path is unknown
        next_action = None
    return (
        {
            "path": here.name,
            "path_day": day,
            "step": step,
            "template": template,
            "next_action": next_action,
            "next_on": None if days is None else as_of + timedelta(days=days),
        },
        action,
        calendar,
    )


def _due(
    strategy: Strategy,
    walked: Sequence[Path],
    ahead: Sequence[Path],
    facts: Facts,
    starts: Callable[[Path], date | None],
    readings: Mapping[str, Reading],
    first_begun: date,
) -> tuple[int | None, str, str | None, Calendar | None]:
    """The step that is due, were it an open day: its number on its path, its action, its template
    and its calendar."""
    as_of, begun = facts["as_of"], starts(walked[0])
    assert begun is not None
    every = [(path, n, step) for path in ahead for n, step in enumerate(path.steps, start=1)]
    first_day = min(0, every[0][2].day) if every else 0
    since = first_begun + timedelta(days=first_day)

    def was_issued(path: Path, step: Step, occurrence: int = 1) -> bool:
        on = facts.get(f"issued {path.name} {step.key}")
        last = facts.get(f"occurrence {path.name} {step.key}") or 1
        here = on is not None and since <= on < as_of and last >= occurrence
        other = elsewhere(ahead, path, step, facts)
        return here or (occurrence == 1 and other is not None and since <= other < as_of)

    by_name = {path.name: path for path in ahead}
    day0: date | None = begun
    # Every occurrence, in its order, with how many days ago it came due: None if it did not yet.
    whole: list[tuple[Path, int, Step, int, int | None]] = []
    for index, path in enumerate(ahead):
        if index and index < len(walked):
            day0 = _following(walked[index - 1], day0, by_name, starts)
        day = (as_of - day0).days if index < len(walked) and day0 else None
        for n, step, on, occurrence in occurrences(path, day or 0):
            come = day is not None and is_reached(step, on, day, as_of)
            come = come and not passed_over(step, facts, readings)
            if step.after is not None:
                until, answered = waiting(ahead, path, step, occurrence, since, facts)
                come = come and until is not None and until <= as_of and not answered
            whole.append((path, n, step, occurrence, (day or 0) - on if come else None))
    for path, number, step, occurrence, ago in whole:
        if step.must and occurrence == 1 and ago is not None and not was_issued(path, step):
            return number, step.action, step.template, step.calendar
    most = came_ago(strategy, walked[0], facts)
    reached = [i for i, (*_, ago) in enumerate(whole) if ago is not None and ago <= most]
    if reached:
        path, number, step, _, ago = whole[reached[-1]]
        assert ago is not None
        overtaken = any(was_issued(p, s, k) for p, _, s, k, _ in whole[reached[-1] :])
        ago -= len(closed_run(step.calendar, as_of - timedelta(days=1), -1))
        expired = path.due_for is not None and ago >= path.due_for
        if not overtaken and not expired:
            return number, step.action, step.template, step.calendar
    return None, "none", None, None


def passed_over(step: Step, facts: Facts, readings: Mapping[str, Reading]) -> bool:
    """Whether a step has a condition, and it does not hold."""
    return step.when is not None and not _holds(step.when, facts, readings)


def waiting(
    whole: Sequence[Path], path: Path, step: Step, occurrence: int, since: date, facts: Facts
) -> tuple[date | None, bool]:
    """Until when a step waits for another that was issued, and whether that was answered."""
    if step.after is None:
        return None, False
    here = facts.get(f"issued {path.name} {step.after.step}")
    waited = next(s for s in path.steps if s.key == step.after.step)
    other = elsewhere(whole, path, waited, facts)
    repeated = [s.key for s in path.repeated]
    last = facts.get(f"occurrence {path.name} {step.after.step}") or 1
    counts = here is not None and here >= since
    if step.after.step in repeated and last < occurrence:
        counts = False
    counts |= (
        other is not None
        and other >= since
        and (occurrence == 1 or step.after.step not in repeated)
    )
    if not counts:
        return None, False
    on = max(day for day in (here, other) if day is not None)
    instead = facts.get(f"instead {path.name} {step.after.step}")
    if instead is not None and instead >= on:
        return None, True  # it waits for the step itself
    outcomes = (
        facts.get(f"outcome {path.name} {step.after.step}"),
        elsewhere(whole, path, waited, facts, of="outcome"),
    )
    outcome = max((day for day in outcomes if day is not None), default=None)
    answered = step.after.unanswered and outcome is not None and outcome >= on
    return on + timedelta(days=step.after.days), answered


def elsewhere(
    whole: Sequence[Path], path: Path, step: Step, facts: Facts, of: str = "issued"
) -> date | None:
    """The day on which the same was done on paths that are not of the route, as often as it comes
    on the route up to this step."""
    times = 0
    for other in whole:
        for own in other.steps:
            same = (own.action, own.template) == (step.action, step.template)
            times += same
            if other == path and own == step:
                route = ",".join(p.name for p in whole)
                template = "" if step.template is None else f" as {step.template}"
                number = times if of == "issued" else 1
                name = f"elsewhere {of} {number} {step.action} not on {route}{template}"
                day: date | None = facts.get(name)
                return day
    raise AssertionError


def path_walked(strategy: Strategy, segment: str, facts: Facts) -> Path:
    """The path of the segment, or the one that the account stays on."""
    of_segment = next(p for p in strategy.paths if segment in p.segments)
    here = next((p for p in strategy.paths if p.name == facts.get("placed path")), None)
    waits = bool(of_segment.steps or of_segment.then) and not of_segment.at_once
    if here is None or here == of_segment or not waits:
        return of_segment
    entered = facts.get(f"entered {here.name}") or facts["as_of"]
    for_days = here.hold_for is not None and (facts["as_of"] - entered).days < here.hold_for
    return here if here.on_change == "stay" or for_days else of_segment


def own_start(path: Path, facts: Facts, readings: Mapping[str, Reading]) -> date | None:
    if path.starts.text == "entered_on":
        return facts.get(f"entered {path.name}") or facts["as_of"]
    start: date | None = readings[path.starts.text](facts)
    return start


def came_from(strategy: Strategy, path: Path, facts: Facts) -> Path | None:
    """The path with steps that an account came from."""
    before = facts.get(f"path before {path.name}")
    with_steps = [p for p in strategy.paths if p.steps or p.then]
    return next((p for p in with_steps if p.name == before), None)


def begins_on(
    strategy: Strategy, first: Path, facts: Facts, readings: Mapping[str, Reading]
) -> date | None:
    """Day 0 of a route, were no day held."""
    start = own_start(first, facts, readings)
    if start is None or not (first.steps or first.then) or first.starts.names == {"as_of"}:
        return start
    before = came_from(strategy, first, facts)
    if before is None:
        lifted = first.backlog == "from_start"
    else:
        lifted = before.on_change == "restart" and before != first
    entered: date = facts.get(f"entered {first.name}") or facts["as_of"]
    return max(start, entered) if lifted else start


def came_ago(strategy: Strategy, first: Path, facts: Facts) -> int:
    """How many days of the path ago the account came to it, where what was due before is passed
    over; else very many."""
    if first.backlog != "at_day" or came_from(strategy, first, facts) is not None:
        return 1_000_000
    entered: date = facts.get(f"entered {first.name}") or facts["as_of"]
    held = 0 if first.held_since_entry is None else facts[first.held_since_entry.fact]
    return int((facts["as_of"] - entered).days - held)


def is_open(calendar: Calendar | None, day: date) -> bool:
    if calendar is None:
        return True
    country, _, part = (calendar.holidays or "").partition("-")
    if country and day in country_holidays(country, subdiv=part or None, years=day.year):
        return False
    return f"{day:%a}".lower() in calendar.days


def closed_run(calendar: Calendar | None, day: date, step: int) -> list[date]:
    """The closed days from a day on, before the first open one."""
    found = []
    while not is_open(calendar, day):
        found.append(day)
        day += timedelta(days=step)
    return found


def is_reached(step: Step, on: int, day: int, as_of: date) -> bool:
    """Whether a step's day has come, or falls on the closed days before which it is taken."""
    backward = step.calendar is not None and step.calendar.closed == "previous"
    if backward and is_open(step.calendar, as_of):
        day += len(closed_run(step.calendar, as_of + timedelta(days=1), 1))
    return on <= day


def next_open(calendar: Calendar | None, as_of: date, days: int) -> int:
    """After how many days something is done that falls on a day so many days ahead."""
    day = as_of + timedelta(days=days)
    run = closed_run(calendar, day, -1)
    earlier = bool(run) and run[-1] > as_of
    if calendar is not None and calendar.closed == "previous" and earlier:
        return (run[-1] - as_of).days - 1
    return days + len(closed_run(calendar, day, 1))


def _lawful(strategy: Strategy, due: str, in_force: Sequence[Restriction]) -> str:
    """The due action; forbidden, the mildest lawful stand-in for it; held, nothing at all."""
    forbidden = {action for guard in in_force for action in guard.never}
    if due == "none" or due not in forbidden:
        return due
    if any(guard.kind == "hold" for guard in in_force):
        return "none"
    offered = {g.instead for g in in_force if due in g.never}
    for action in sorted(strategy.actions, key=lambda a: a.rank):
        if action.name in offered - forbidden:
            return action.name
    return "none"
