"""Every expression that decides something, with the place where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from riskseg.expressions import Expression
from riskseg.rules.elements import in_force
from riskseg.rules.model import Path, Strategy


@dataclass(frozen=True)
class Located:
    """An expression of a strategy, and where it stands."""

    expression: Expression
    file: str
    line: int | None = None


def located(strategy: Strategy, as_of: date | None = None) -> Iterator[Located]:
    """The expressions that decide as of a date, or on any. That of the priority comes last."""
    folder = strategy.folder
    for scheme in strategy.schemes:
        for row in scheme.rows:
            if row.when is not None:
                yield Located(row.when.expression, f"{folder}/tiers.yaml", row.line)
    for path in in_force(strategy.paths, as_of) if as_of else strategy.paths:
        yield from _of_path(path, f"{folder}/paths.yaml")
    guards = f"{folder}/guards.yaml"
    for guard in in_force(strategy.guards, as_of) if as_of else strategy.guards:
        yield Located(guard.when.expression, guards, guard.line)
    for duty in in_force(strategy.duties, as_of) if as_of else strategy.duties:
        yield Located(duty.when.expression, guards, duty.line)
        yield Located(duty.since, guards, duty.line)
    if strategy.priority is not None:
        yield Located(strategy.priority, f"{folder}/strategy.yaml")


def _of_path(path: Path, file: str) -> Iterator[Located]:
    yield Located(path.starts, file)
    if path.ends_when is not None:
        yield Located(path.ends_when.expression, file)
    for step in path.steps:
        if step.when is not None:
            yield Located(step.when.expression, file, step.line)
