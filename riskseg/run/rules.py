"""`strategy check`, `test` and `show`: the rules themselves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from riskseg.domain.problems import Problem, Problems
from riskseg.pipeline.fact_source import is_from_data
from riskseg.pipeline.strategies import ANY_DAY, run_examples
from riskseg.pipeline.strategy_versions import checked_editions
from riskseg.rules.model import Strategy
from riskseg.strategy.check.scope import as_type


@dataclass(frozen=True)
class Shown:
    """A checked strategy, and whether its facts are those of data or merely declared."""

    strategy: Strategy
    from_data: bool


@dataclass(frozen=True)
class Tested:
    """Each example's decision, and a Problem for each that is not as expected."""

    strategy: Strategy
    decisions: tuple[dict[str, Any], ...]
    problems: tuple[Problem, ...]
    from_data: bool


def show(
    root: Path | None, name: str | None = None, *, here: Path | None = None, data: bool = True
) -> Shown:
    """The checked strategy: the workspace's, or the one `name` names (see
    :func:`riskseg.pipeline.strategy_versions.found`). Raises its Problems, and RS230."""
    with checked_editions(root, [name], here or Path.cwd(), data=data) as (source, editions):
        return Shown(editions[0].strategy, is_from_data(source))


def test(
    root: Path | None, name: str | None = None, *, here: Path | None = None, data: bool = True
) -> Tested:
    """Run the strategy's examples through the SQL that decides real accounts. Without data, an
    expected fact that an example leaves out has its default value."""
    with checked_editions(root, [name], here or Path.cwd(), data=data) as (source, editions):
        strategy, problems = editions[0].strategy, Problems()
        tried = strategy
        if not is_from_data(source):
            tried = replace(strategy, default_values=_defaults(strategy))
        decisions = run_examples(source.engine, tried, ANY_DAY, problems)
        return Tested(strategy, tuple(decisions), tuple(problems), is_from_data(source))


def _defaults(strategy: Strategy) -> dict[str, object]:
    return {
        name: None if otherwise == "unknown" else as_type(type_, otherwise)
        for name, (type_, otherwise) in strategy.expects.items()
    }
