"""`strategy check`, `test` and `show`: the rules themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from riskseg.domain.problems import Problem, Problems
from riskseg.run.rules import checked_strategy, run_examples
from riskseg.run.session import Session, begin, open_checked, scratch_engine
from riskseg.strategy.checked import Strategy

T = TypeVar("T")

# Examples without an as_of of their own are decided as of this day; the result must not hang on it.
ANY_DAY = date(2026, 3, 2)


@dataclass(frozen=True)
class Tested:
    """Each example's decision, and a Problem for each that is not as expected."""

    strategy: Strategy
    decisions: tuple[dict[str, Any], ...]
    problems: tuple[Problem, ...]


def show(root: Path) -> Strategy:
    """The checked strategy. Raises its Problems."""
    return _with_session(root, checked_strategy)


def test(root: Path) -> Tested:
    """Run the strategy's examples through the SQL that decides real accounts."""

    def run(session: Session) -> Tested:
        strategy, problems = checked_strategy(session), Problems()
        decisions = run_examples(session.engine, strategy, ANY_DAY, problems)
        return Tested(strategy, tuple(decisions), tuple(problems))

    return _with_session(root, run)


def _with_session(root: Path, use: Callable[[Session], T]) -> T:
    workspace = open_checked(root)
    with scratch_engine(workspace) as engine:
        return use(begin(workspace, engine))
