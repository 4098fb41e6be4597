"""The workspace's strategy: read, checked against the facts there are, its examples run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, cast

from riskseg.domain.decision import RESULT
from riskseg.domain.documents import Document
from riskseg.domain.problems import Problems
from riskseg.domain.relations import Relation, quoted
from riskseg.engine import Engine
from riskseg.pipeline.contracts import build
from riskseg.pipeline.fact_source import FactSource, is_from_data
from riskseg.pipeline.models import spec_files
from riskseg.pipeline.overflow import located_overflow
from riskseg.pipeline.session import Session
from riskseg.rules.demand import Demand
from riskseg.rules.elements import in_force
from riskseg.rules.model import Example, Path, Strategy
from riskseg.rules.rule import Restriction
from riskseg.rules.sql import inner, out
from riskseg.strategy.authored import AuthoredStrategy, read_strategy
from riskseg.strategy.check import check_strategy
from riskseg.strategy.compile import compile_strategy
from riskseg.strategy.examples import (
    check_day,
    day_of,
    guard_misses,
    guarded_examples,
    misses,
    scored_examples,
)
from riskseg.strategy.kinds import Included
from riskseg.treatment.guards import guarded
from riskseg.workspace import Workspace


def read_authored(
    workspace: Workspace, problems: Problems, *, instead: Mapping[str, Document] | None = None
) -> AuthoredStrategy | None:
    """The files of the strategy riskseg.toml names, or None after adding their Problems. A
    document of `instead` is taken for the file of its name."""
    return read_strategy(
        workspace.strategy,
        problems,
        shown=workspace.settings.strategy,
        line=workspace.document.line("workspace", "strategy"),
        instead=instead,
    )


def read_checked(
    session: Session,
    problems: Problems,
    *,
    instead: Mapping[str, Document] | None = None,
    draft: bool = True,
) -> Strategy | None:
    """The strategy riskseg.toml names, or None after adding its Problems. A document of `instead`
    is taken for the file of its name."""
    authored = read_authored(session.workspace, problems, instead=instead)
    return check_here(session, authored, problems, draft=draft) if authored else None


def check_here(
    source: FactSource, authored: AuthoredStrategy, problems: Problems, *, draft: bool = True
) -> Strategy | None:
    """A strategy checked against the facts, and the models of the workspace if there is one; or
    None after adding its Problems. See :func:`riskseg.strategy.check.check_strategy`."""
    workspace = source.workspace
    names = authored.head.uses.values() if workspace is None else spec_files(workspace)
    catalogue = source.catalogue
    return check_strategy(
        authored,
        source.facts,
        catalogue.lacking,
        dict.fromkeys(names, True),
        problems,
        catalogue.declared(),
        data=is_from_data(source),
        draft=draft,
    )


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
    each that does not come out as expected, and for each example of an included guard pack that
    its guard does not forbid or allow as it should. Examples without an as_of use `as_of`, or
    the nearest day on which the strategy holds. Without a decision for each, there is none."""
    before = len(problems)
    days = [day_of(strategy, example, as_of, problems) for example in strategy.examples]
    decisions: dict[int, dict[str, Any]] = {}
    if len(problems) == before:
        for day in sorted(set(days)):
            examples_of_day = [
                example_index
                for example_index, example_day in enumerate(days)
                if example_day == day
            ]
            decided_on_day = decided(
                engine,
                strategy,
                [strategy.examples[example_index] for example_index in examples_of_day],
                day,
                problems,
            )
            decisions |= zip(examples_of_day, decided_on_day, strict=False)
    _run_pack_examples(engine, strategy, as_of, problems)
    if len(decisions) < len(days):
        return []
    in_order = [decisions[example_number] for example_number in range(len(days))]
    for example, decision in zip(strategy.examples, in_order, strict=True):
        misses(strategy, example, decision, problems)
    return in_order


def decided(
    engine: Engine, strategy: Strategy, examples: Sequence[Example], as_of: date, problems: Problems
) -> list[dict[str, Any]]:
    """The decisions of examples of one day, or none after adding Problems."""
    relation = scored_examples(strategy, examples, as_of, problems)
    if relation is None:
        return []
    decided_rows = _decide_rows(engine, strategy, relation, examples, as_of)
    first_paths = [_first_path(strategy, row) for row in decided_rows]
    if any(
        example.day not in (None, row["day0"])
        for example, row in zip(examples, decided_rows, strict=True)
    ):
        # Which path an example stands on is known only now, and with it what its day means.
        relation = scored_examples(strategy, examples, as_of, problems, first_paths)
        assert relation is not None
        decided_rows = _decide_rows(engine, strategy, relation, examples, as_of)
        before = len(problems)
        for example, row in zip(examples, decided_rows, strict=True):
            check_day(strategy, example, _first_path(strategy, row), row["day0"], problems)
        if len(problems) > before:
            return []
    result_names = [*strategy.levels, *RESULT, "rows_matched"]
    return [{result_name: row[result_name] for result_name in result_names} for row in decided_rows]


def _first_path(strategy: Strategy, row: Mapping[str, Any]) -> Path:
    return next(path for path in strategy.paths if path.name == row["first"])


def _decide_rows(
    engine: Engine,
    strategy: Strategy,
    scored: Relation,
    examples: Sequence[Example],
    as_of: date,
) -> list[dict[str, Any]]:
    """What is decided of examples, with `first`, the path that the segment of each leads to, and
    `day0`, the day of that path."""
    build(engine, [replace(scored, materialized=True)])
    with located_overflow(
        engine,
        strategy,
        as_of,
        "snap",
        lambda example_number: f'the example "{examples[example_number - 1].name}"',
    ):
        build(engine, compile_strategy(strategy, as_of))
    result_names = [*strategy.levels, *RESULT, "rows_matched"]
    select_list = ", ".join([*map(out, result_names), inner("first"), inner("day0")])
    result_rows = engine.rows(f"select {select_list} from decided order by snap")
    return [dict(zip((*result_names, "first", "day0"), row, strict=True)) for row in result_rows]


def _run_pack_examples(engine: Engine, strategy: Strategy, as_of: date, problems: Problems) -> None:
    """Whether each rule of an included pack applies where its examples say so, and only there."""
    examples = [example for pack in strategy.of(Included) for example in pack.examples]
    dated = [
        replace(pack_example, given={"as_of": as_of, **pack_example.given})
        for pack_example in examples
    ]
    relation = guarded_examples(strategy, dated, problems)
    if relation is None:
        return
    with_examples = {pack_example.guard for pack_example in examples}
    guards = [guard for guard in strategy.guards if guard.name in with_examples]
    duties = [duty for duty in strategy.duties if duty.name in with_examples]
    applies = [*(quoted(f"!{guard.name}") for guard in guards), *(d.open_sql() for d in duties)]
    build(engine, [relation, replace(guarded(guards), materialized=True)])
    rules: dict[str, Restriction | Demand] = {guard.name: guard for guard in guards}
    rules |= {duty.name: duty for duty in duties}
    for example, row in zip(
        dated, engine.rows(f"select {', '.join(applies)} from guarded order by snap"), strict=True
    ):
        states = dict(zip(rules, row, strict=True))
        example_day = cast(date, example.given["as_of"])
        in_force_then = bool(in_force([rules[example.guard]], example_day))
        guard_misses(example, bool(states[example.guard]) and in_force_then, problems)


# Examples without an as_of of their own are decided as of this day; the result must not hang on it.
ANY_DAY = date(2026, 3, 2)
