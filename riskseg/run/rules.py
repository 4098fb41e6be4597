"""The workspace's strategy: read, checked against the facts there are, its examples run."""

from __future__ import annotations

from datetime import date
from typing import Any

from riskseg.domain.problems import Problems
from riskseg.domain.relations import quoted
from riskseg.engine import Engine
from riskseg.run.models import spec_files
from riskseg.run.session import Session
from riskseg.run.stages import build
from riskseg.strategy.authored import AuthoredStrategy, read_strategy
from riskseg.strategy.check import check_strategy
from riskseg.strategy.checked import Strategy
from riskseg.strategy.compile import compile_strategy, out
from riskseg.strategy.examples import misses, scored_examples
from riskseg.workspace import Workspace


def read_authored(workspace: Workspace, problems: Problems) -> AuthoredStrategy | None:
    """The files of the strategy riskseg.toml names, or None after adding their Problems."""
    return read_strategy(
        workspace.strategy,
        problems,
        shown=workspace.settings.strategy,
        line=workspace.document.line("workspace", "strategy"),
    )


def read_checked(session: Session, problems: Problems) -> Strategy | None:
    """The strategy riskseg.toml names, or None after adding its Problems."""
    workspace = session.workspace
    authored = read_authored(workspace, problems)
    if authored is None:
        return None
    models = {name: True for name in spec_files(workspace)}
    return check_strategy(authored, session.facts, session.catalogue.lacking, models, problems)


def checked_strategy(session: Session) -> Strategy:
    """The strategy, or its Problems raised."""
    problems = Problems()
    strategy = read_checked(session, problems)
    problems.raise_if_any()
    assert strategy is not None
    return strategy


def run_examples(
    engine: Engine, strategy: Strategy, as_of: date, problems: Problems
) -> list[dict[str, Any]]:
    """The decision of each example, through the SQL that decides real accounts; a Problem for
    each that does not come out as expected. Examples without an as_of use `as_of`."""
    relation = scored_examples(strategy, as_of, problems)
    if relation is None:
        return []
    build(engine, [relation, *compile_strategy(strategy, as_of)])
    names = [
        *(b.name for b in strategy.bands),
        *(s.name for s in strategy.schemes),
        *("segment", "path", "path_day", "step", "action", "channel", "template"),
        *("next_action", "next_on", "priority", "guards", "rows_matched"),
    ]
    listed = ", ".join(f"{out(n)} as {quoted(n)}" for n in names)
    rows = engine.rows(f"select {listed} from decided order by snap")
    decisions = [dict(zip(names, row, strict=True)) for row in rows]
    for example, decision in zip(strategy.examples, decisions, strict=True):
        misses(strategy, example, decision, problems)
    return decisions
