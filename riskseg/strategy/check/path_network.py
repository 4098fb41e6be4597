"""How paths hang together: none goes round in a circle, each is led to, and on every day each
segment has one."""

from __future__ import annotations

from riskseg.domain.problems import did_you_mean
from riskseg.rules.periods import Period, gaps
from riskseg.strategy.check.scope import Scope

_FILE = "paths.yaml"


def check_network(scope: Scope) -> None:
    """Add a Problem for each circle of paths, each path that nothing leads to, and each segment
    without a path, or with two."""
    _circles(scope)
    _untaken(scope)
    _served(scope)


def _circles(scope: Scope) -> None:
    paths = scope.authored.paths.root
    reported: set[str] = set()
    for name in paths:
        walked = [name]
        while (then := paths[walked[-1]].then) in paths:
            if then in walked:
                circle = walked[walked.index(then) :]
                if not reported & set(circle):
                    way = " → ".join([*circle, then])
                    what = f"The paths go round in a circle: {way}."
                    hint = "Let one of them `stay: deliberately`."
                    scope.add_problem("RS208", what, _FILE, circle[-1], "then", hint=hint)
                reported |= set(circle)
                break
            walked.append(then)


def _untaken(scope: Scope) -> None:
    paths = scope.authored.paths.root
    continued = {p.then for p in paths.values()}
    for name, path in paths.items():
        if not path.for_ and name not in continued:
            message = f'No segment and no other path leads to "{name}".'
            scope.add_problem(
                "RS208", message, _FILE, name, hint="Name its segments, or remove it."
            )


def _served(scope: Scope) -> None:
    """On every day of the strategy's own period, each segment has exactly one path in force."""
    authored = scope.authored
    whole = Period.of(authored.head)
    first = {row.segment: i for i, row in reversed(list(enumerate(authored.segments.rows)))}
    served: dict[str, list[tuple[str, Period]]] = {}
    for name, path in authored.paths.root.items():
        period = Period.of(path)
        if not period:
            message = f'The path "{name}" is in force {period}: its last day is before its first.'
            scope.add_problem("RS004", message, _FILE, name, "effective_to")
        for i, segment in enumerate(path.for_):
            if segment not in first:
                message = f'"{name}" is for "{segment}", which no row of segments.yaml gives.'
                hint = did_you_mean(segment, first)
                scope.add_problem("RS201", message, _FILE, name, "for", i, hint=hint)
                continue
            for other, before in served.get(segment, []):
                both = period.within(before).within(whole)
                if both:
                    days = "" if both == whole else f" {both}"
                    message = f'"{segment}" has two paths{days}: "{other}" and "{name}".'
                    hint = "Keep one." if both == whole else "Let one end before the other begins."
                    scope.add_problem("RS202", message, _FILE, name, "for", i, hint=hint)
                    break
            served.setdefault(segment, []).append((name, period))
    for segment, i in first.items():
        for lacking in gaps(whole, [period for _, period in served.get(segment, [])]):
            days = "" if lacking == whole else f" {lacking}"
            message = f'No path serves the segment "{segment}"{days}.'
            hint = f"Add {segment} to the `for` of a path in paths.yaml."
            if days:
                hint = f"Let a path for {segment} be in force on those days."
            scope.add_problem("RS207", message, "segments.yaml", "rows", i, "segment", hint=hint)
