"""paths.yaml: steps that can be followed, and for each segment one path a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from riskseg.domain.facts import Kind
from riskseg.domain.problems import did_you_mean
from riskseg.domain.words import with_article
from riskseg.expressions import Expression
from riskseg.rules.calendar import Calendar
from riskseg.rules.elements import Action
from riskseg.rules.holding import held_days
from riskseg.rules.keys import MOST_TIMES
from riskseg.rules.model import After, Path, Repeat, Step
from riskseg.rules.periods import Period, gaps
from riskseg.rules.placing import (
    ENTERED_ON,
    begins_on_entry,
    came_from_one_of,
    either_of,
    entered_on,
    first_met,
    stays_on,
)
from riskseg.rules.rule import Rule
from riskseg.strategy.check.calendars import check_calendar
from riskseg.strategy.check.path_network import check_network
from riskseg.strategy.check.scope import Scope
from riskseg.strategy.kinds.hold import Hold
from riskseg.strategy.shapes import AuthoredPath

_FILE = "paths.yaml"


def check_paths(scope: Scope, actions: Sequence[Action]) -> tuple[Path, ...]:
    paths: list[Path] = []
    for name, path in scope.authored.paths.root.items():
        if path.starts == ENTERED_ON:
            starts: Expression | None = entered_on(name)
        else:
            starts = scope.expression(path.starts, _FILE, name, "starts", value=True)
        if starts and starts.type.kind is not Kind.DATE:
            kind = with_article(starts.type.kind)
            message = f"The path starts at {path.starts}, which is {kind}, not a date."
            hint = "Use a date, such as episode_started_on or next_due_on, or entered_on."
            scope.add_problem("RS304", message, _FILE, name, "starts", hint=hint)
        steps = _steps(scope, name, path, actions)
        then = None if path.then == "stay" else path.then
        if then is not None:
            _continuation(scope, name, path, then)
        _afterwards(scope, name, path, starts)
        ends = None
        if path.ends_when is not None:
            ends = scope.condition(path.ends_when, path.unknown, _FILE, name, "ends_when")
        elif path.unknown is not None:
            message = "`unknown` is about `ends_when`, and there is none."
            hint = "Add `ends_when`, or remove it."
            scope.add_problem("RS003", message, _FILE, name, "unknown", hint=hint)
        if not path.steps and path.due_for is not None:
            message = "`due_for` is about steps, and there is none."
            scope.add_problem(
                "RS003", message, _FILE, name, "due_for", hint="Add `steps`, or remove it."
            )
        _on_entry(scope, name, path)
        if starts is not None:
            paths.append(
                Path(
                    name,
                    tuple(path.for_),
                    starts,
                    steps,
                    then,
                    ends,
                    _days(scope, path.due_for, name, "due_for"),
                    path.effective_from,
                    path.effective_to,
                    _repeat(scope, name, path, steps),
                    backlog=path.backlog or "latest_step",
                    on_change=path.on_change or "continue",
                    hold_for=_days(scope, path.hold_for, name, "hold_for"),
                    at_once=path.at_once,
                )
            )
    check_network(scope)
    return tuple(paths)


def check_entry(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The paths with what follows from `backlog`, `on_change` and `hold_for`, their own and those
    of the other paths."""
    with_steps = [path.name for path in paths if not path.idle]
    found = []
    for path in paths:
        lifted = []
        restarting = [p.name for p in paths if p.on_change == "restart" and p.name != path.name]
        if restarting:
            lifted.append(came_from_one_of(path.name, restarting))
        if path.backlog == "from_start":
            lifted.append(first_met(path.name, with_steps))
        if path.idle or not path.segments or path.starts_on_entry or path.starts.names == {"as_of"}:
            lifted = []
        condition = either_of(lifted) if lifted else None
        stays = None
        if path.on_change == "stay" or path.hold_for is not None:
            days = None if path.on_change == "stay" else path.hold_for
            stays = stays_on(path.name, days)
        found.append(
            replace(
                path,
                lifted=condition,
                begins=begins_on_entry(path.name, path.starts, condition) if condition else None,
                passes_over=first_met(path.name, with_steps) if path.backlog == "at_day" else None,
                stays=stays,
            )
        )
    return tuple(found)


def check_clock(scope: Scope, paths: tuple[Path, ...], rules: Sequence[Rule]) -> tuple[Path, ...]:
    """The paths with what counts the days on which holds stop their clock."""
    holds = [rule for rule in rules if isinstance(rule, Hold) and rule.clock == "stops"]
    kinds = {hold.event for hold in holds if hold.event is not None}
    if not kinds:
        return paths
    found = []
    for path in paths:
        held = since_entry = None
        if path.starts.names != {"as_of"} and path.steps:
            held = held_days(path.starts, kinds)
            if held is None:
                message = f"The path starts at {path.starts.text}, and a hold stops its clock."
                hint = "Let it start on a date, or a number of days from one."
                scope.add_problem("RS208", message, _FILE, path.name, "starts", hint=hint)
        if path.lifted is not None or path.passes_over is not None:
            since_entry = held_days(entered_on(path.name), kinds)
        found.append(replace(path, held=held, held_since_entry=since_entry))
    return tuple(found)


def _on_entry(scope: Scope, name: str, path: AuthoredPath) -> None:
    """What a path says of accounts that come to it, or whose segment changes, has something to
    say it of."""
    on_entry = path.starts == ENTERED_ON
    about = {
        "backlog": path.backlog,
        "on_change": path.on_change,
        "hold_for": path.hold_for,
        "at_once": path.at_once or None,
        "starts": ENTERED_ON if on_entry else None,
    }
    said = [key for key, value in about.items() if value is not None]
    for key in said:
        if not path.for_:
            message = f"`{key}` is about accounts whose segment leads to the path, and none does: "
            message += "day 0 of a path gone on to is when the one before is over."
            hint = "Say it of the path that goes on to this one."
            scope.add_problem("RS003", message, _FILE, name, key, hint=hint)
        elif not path.steps and path.then is None:
            message = f"`{key}` is about steps, and the path has none."
            scope.add_problem("RS003", message, _FILE, name, key, hint="Add `steps`, or remove it.")
    if on_entry and path.backlog is not None:
        message = "A path that starts on `entered_on` has no backlog: day 0 is when an account "
        message += "comes to it."
        scope.add_problem("RS003", message, _FILE, name, "backlog", hint="Remove one of them.")
    if path.on_change == "stay" and path.hold_for is not None:
        message = "`on_change: stay` keeps an account on the path until its episode ends; "
        message += "`hold_for` says for how many days."
        scope.add_problem("RS003", message, _FILE, name, "hold_for", hint="Remove one of them.")
    early = _early(scope, path)
    if early is not None and (on_entry or path.backlog == "from_start"):
        message = f"An account comes to the path on day 0, and a step is on day {early}."
        hint = "Begin the steps on day 0, or let the path start on a date of the account."
        scope.add_problem("RS208", message, _FILE, name, "starts", hint=hint)
    if on_entry or path.backlog in ("from_start", "at_day") or path.hold_for is not None:
        scope.notes[
            f"The days of the path {name} depend on when an account was first seen on it: issue "
            "the worklist on every working day."
        ] = None


def _steps(
    scope: Scope, name: str, path: AuthoredPath, actions: Sequence[Action]
) -> tuple[Step, ...]:
    known = {a.name for a in actions}
    calendars = _calendars(scope, name, path, actions)
    steps: list[Step] = []
    times: dict[str, int] = {}
    for i, step in enumerate(path.steps):
        if step.action not in known:
            message = f'There is no action "{step.action}".'
            hint = did_you_mean(step.action, known)
            scope.add_problem("RS209", message, _FILE, name, "steps", i, "action", hint=hint)
        day, after = _day(scope, name, path, i, steps)
        if steps and day <= steps[-1].day:
            message = f"Day {day} does not come after day {steps[-1].day}."
            hint = "List the steps in the order of their days, one a day."
            scope.add_problem("RS208", message, _FILE, name, "steps", i, hint=hint)
        if step.must and path.due_for is not None:
            message = "A step that `must` be taken stays due; `due_for` says that it does not."
            hint = "Remove one of them."
            scope.add_problem("RS003", message, _FILE, name, "steps", i, "must", hint=hint)
        line = scope.line(_FILE, name, "steps", i)
        times[step.action] = nth = times.get(step.action, 0) + 1
        key = step.action if nth == 1 else f"{step.action}#{nth}"
        calendar = calendars.get(step.action)
        when = None
        if step.when is not None:
            at = (_FILE, name, "steps", i, "when")
            when = scope.condition(step.when, step.unknown, *at)
        elif step.unknown is not None:
            message = "`unknown` is about `when`, and there is none."
            hint = "Add `when`, or remove it."
            scope.add_problem("RS003", message, _FILE, name, "steps", i, "unknown", hint=hint)
        steps.append(
            Step(day, step.action, step.template, line, key, step.must, calendar, when, after)
        )
    return tuple(steps)


def _day(
    scope: Scope, name: str, path: AuthoredPath, i: int, before: Sequence[Step]
) -> tuple[int, After | None]:
    """The day of a step, and which step it waits for; of one that waits, the earliest day."""
    step = path.steps[i]
    if (step.day is None) is (step.after is None):
        message = "A step has either a `day` or an `after`."
        hint = "Say when it comes." if step.after is None else "Remove one of them."
        scope.add_problem("RS003", message, _FILE, name, "steps", i, hint=hint)
    if step.day is not None or step.after is None:
        if step.day is None:
            return 0, None
        return scope.whole(step.day, _FILE, name, "steps", i, "day") or 0, None
    if path.due_for is not None:
        message = "A step that waits for another reads what was issued; `due_for` is for teams "
        message += "that issue nothing."
        scope.add_problem(
            "RS003", message, _FILE, name, "steps", i, "after", hint="Remove one of them."
        )
    keys = {earlier.key: earlier for earlier in before}
    waited = keys.get(step.after.action)
    if waited is None:
        message = f'The step waits for "{step.after.action}", which is not an earlier step.'
        hint = did_you_mean(step.after.action, keys)
        scope.add_problem("RS208", message, _FILE, name, "steps", i, "after", "action", hint=hint)
        return before[-1].day + 1 if before else 0, None
    place = (_FILE, name, "steps", i, "after", "days")
    days = scope.whole(step.after.days, *place, least=1)
    if days is None:
        return waited.day + 1, None
    after = After(waited.key, days, step.after.outcome == "none")
    return waited.day + days, after


def _afterwards(scope: Scope, name: str, path: AuthoredPath, starts: Expression | None) -> None:
    """What comes after the last step is said, and said once: an account in arrears must not be
    forgotten by oversight. A path that starts on the as-of date has a first day every day."""
    if path.stay and path.then not in (None, "stay"):
        message = f'"{name}" stays, and goes on to "{path.then}".'
        scope.add_problem("RS003", message, _FILE, name, "stay", hint="Keep one of them.")
    said = path.then or path.stay or (path.repeat and path.repeat.at_most is None)
    every_day = starts is not None and starts.names == {"as_of"}
    if path.steps and not said and not every_day:
        message = f'After the last step of "{name}" nothing follows, and it does not say so.'
        hint = "Add `then: PATH`, `repeat: {every: 30 days, from: STEP}`, or `stay: deliberately`."
        if scope.draft:
            scope.add_problem("RS228", message, _FILE, name, hint=hint)
        else:
            scope.note(f"{message} {hint}", _FILE, name)


def _repeat(scope: Scope, name: str, path: AuthoredPath, steps: Sequence[Step]) -> Repeat | None:
    """What comes again: steps there are, all within one period, and not for ever where another
    path follows. None where there is nothing, or after adding Problems."""
    repeat = path.repeat
    if repeat is None:
        return None
    first = next((step for step in steps if step.key == repeat.from_), None)
    if first is None:
        message = f'"{name}" repeats from "{repeat.from_}", which is not one of its steps.'
        hint = did_you_mean(repeat.from_, [step.key for step in steps])
        scope.add_problem("RS208", message, _FILE, name, "repeat", "from", hint=hint)
        return None
    problems_before = len(scope.problems)
    if first.when is not None or first.after is not None:
        message = f"The steps that come again begin with {first.key}, which has a condition."
        hint = "Begin with a step that is always taken, or say when the path ends."
        scope.add_problem("RS208", message, _FILE, name, "repeat", "from", hint=hint)
    every = scope.whole(repeat.every, _FILE, name, "repeat", "every", least=1)
    at_most = repeat.at_most
    if at_most is not None:
        place = (_FILE, name, "repeat", "at_most")
        at_most = scope.whole(at_most, *place, least=1, most=MOST_TIMES)
    takes = steps[-1].day - first.day + 1
    if every is not None and takes > every:
        message = f"The steps from {repeat.from_} on take {takes} days: they would come again "
        message += f"after {every}."
        hint = f"Repeat them every {takes} days, or from a later step."
        scope.add_problem("RS208", message, _FILE, name, "repeat", "every", hint=hint)
    if path.then not in (None, "stay") and repeat.at_most is None:
        message = f'"{name}" goes on to "{path.then}", and repeats its steps without end.'
        hint = "Say how often they come again with `at_most`, or remove `then`."
        scope.add_problem("RS208", message, _FILE, name, "repeat", hint=hint)
    if every is None or len(scope.problems) > problems_before:
        return None
    return Repeat(every, repeat.from_, at_most)


def _calendars(
    scope: Scope, name: str, path: AuthoredPath, actions: Sequence[Action]
) -> dict[str, Calendar | None]:
    """The calendar by which each action is taken on a path: its own, else the path's, else that of
    the strategy."""
    of_path = check_calendar(scope, path.calendar, _FILE, name)
    own = {action.name: action.calendar for action in scope.authored.head.actions}
    return {
        action.name: (own[action.name] is None and of_path) or action.calendar for action in actions
    }


def _days(scope: Scope, written: int | str | None, name: str, key: str) -> int | None:
    """A number of days that a path may have; None where it has none, or after a Problem."""
    return None if written is None else scope.whole(written, _FILE, name, key, least=1)


def _early(scope: Scope, path: AuthoredPath) -> int | Decimal | None:
    """The first of the days before day 0 on which the path has steps."""
    written = [step.day for step in path.steps if step.day is not None]
    numbers = [scope.constants.get(day[1:]) if isinstance(day, str) else day for day in written]
    return min((n for n in numbers if isinstance(n, int | Decimal) and n < 0), default=None)


def _continuation(scope: Scope, name: str, path: AuthoredPath, then: str) -> None:
    """The path gone on to exists, has all its steps ahead, and is in force when this one is."""
    paths = scope.authored.paths.root
    if then not in paths:
        message = f'The path "{name}" goes on to "{then}", which does not exist.'
        hint = did_you_mean(then, paths)
        scope.add_problem("RS208", message, _FILE, name, "then", hint=hint)
        return
    early = _early(scope, paths[then])
    if early is not None:
        message = f'"{name}" goes on to "{then}", which has a step on day {early}: by then past.'
        hint = "Days before day 0 are for the path an account begins on."
        scope.add_problem("RS208", message, _FILE, name, "then", hint=hint)
    here = Period.of(path).within(Period.of(scope.authored.head))
    lacking = gaps(here, [Period.of(paths[then])])
    if lacking:
        days = ", ".join(map(str, lacking))
        message = f'"{name}" goes on to "{then}", which is not in force {days}.'
        hint = "Let it go on to a path that is in force whenever this one is."
        scope.add_problem("RS208", message, _FILE, name, "then", hint=hint)
