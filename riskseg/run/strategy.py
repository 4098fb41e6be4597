"""`strategy check`, `test` and `show`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from riskseg.domain.problems import Problems
from riskseg.pipeline.fact_source import is_from_data
from riskseg.pipeline.strategies import ANY_DAY, run_examples
from riskseg.pipeline.strategy_versions import checked_editions
from riskseg.results.strategies import StrategyCheck, StrategyTest, TestedExample, TestedPackExample
from riskseg.results.strategy_shown import StrategyShown
from riskseg.rules.model import Strategy
from riskseg.strategy.check.scope import as_type
from riskseg.strategy.described import packs_in_use, shown
from riskseg.strategy.kinds import Included


def check(
    root: Path | None, name: str | None = None, *, here: Path | None = None, data: bool = True
) -> StrategyCheck:
    """Check a strategy: the workspace's, or the one `name` names (see
    :func:`riskseg.pipeline.strategy_versions.found`). Raises its Problems, and RS230."""
    with checked_editions(root, [name], here or Path.cwd(), data=data) as (source, editions):
        strategy = editions[0].strategy
        return StrategyCheck(
            strategy=strategy.name,
            version=strategy.fingerprint,
            from_data=is_from_data(source),
            notes=strategy.notes,
            packs=packs_in_use(strategy),
        )


def show(
    root: Path | None, name: str | None = None, *, here: Path | None = None, data: bool = True
) -> StrategyShown:
    """A strategy as it is understood, found and checked as by :func:`check`."""
    with checked_editions(root, [name], here or Path.cwd(), data=data) as (source, editions):
        return shown(editions[0].strategy, from_data=is_from_data(source))


def test(
    root: Path | None, name: str | None = None, *, here: Path | None = None, data: bool = True
) -> StrategyTest:
    """Run the strategy's examples through the SQL that decides real accounts. Without data, an
    expected fact that an example leaves out has its default value."""
    with checked_editions(root, [name], here or Path.cwd(), data=data) as (source, editions):
        strategy, problems = editions[0].strategy, Problems()
        tried_strategy = strategy
        if not is_from_data(source):
            tried_strategy = replace(strategy, default_values=_defaults(strategy))
        decisions = run_examples(source.engine, tried_strategy, ANY_DAY, problems)
        failed = {(problem.file, problem.line) for problem in problems}
        all_decided = len(decisions) == len(strategy.examples)
        return StrategyTest(
            strategy=strategy.name,
            version=strategy.fingerprint,
            from_data=is_from_data(source),
            examples=tuple(
                TestedExample(
                    example=example.name,
                    decision=decisions[position] if all_decided else None,
                    as_expected=False
                    if (example.file, example.line) in failed
                    else all_decided or None,
                )
                for position, example in enumerate(strategy.examples)
            ),
            pack_examples=tuple(
                TestedPackExample(
                    guard=example.guard,
                    example=example.text,
                    forbidden=example.forbidden,
                    as_expected=(example.file, example.line) not in failed,
                )
                for pack in strategy.of(Included)
                for example in pack.examples
            ),
            problems=tuple(problems),
        )


def _defaults(strategy: Strategy) -> dict[str, object]:
    return {
        expected_fact: None if otherwise == "unknown" else as_type(type_, otherwise)
        for expected_fact, (type_, otherwise) in strategy.expects.items()
    }
