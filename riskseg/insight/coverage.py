"""Which parts of a strategy no account used: rows, tiers, levels of bands, guards, paths, steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from riskseg.domain.problems import Problems
from riskseg.insight.insight import Insight
from riskseg.insight.portfolio import Portfolio, level
from riskseg.pipeline.strategies import ANY_DAY, run_examples
from riskseg.results.insights.coverage import Coverage, Use
from riskseg.rules.model import Strategy

# A part of a strategy: its kind, and what it is known by.
Key = tuple[str, ...]


class CoverageOfRules(Insight[Portfolio, Coverage]):
    """How many decisions used each part of the strategy, of the days that it decided as it is now;
    a row that was changed since is another row. A step counts where its action was taken."""

    name = "coverage"
    question = "Which parts of the strategy does no account use?"
    about = Portfolio

    def answer(self, subject: Portfolio) -> Coverage:
        strategy = subject.strategy
        days = [day.day for day in subject.days if day.strategy == strategy.fingerprint]
        decided, examples = _decided(subject, [str(day) for day in days]), _examples(subject)
        uses = tuple(
            Use(
                kind=key[0],
                name=" ".join(key[1:]),
                where=where,
                decisions=decided[key],
                examples=None if examples is None else examples[key],
            )
            for key, where in _parts(strategy)
        )
        return Coverage(
            unused=tuple(use for use in uses if not use.decisions) if days else (),
            uses=uses if days else (),
            days=len(days),
            other_days=len(subject.days) - len(days),
            as_of=subject.as_of,
        )


COVERAGE = CoverageOfRules()


def _parts(strategy: Strategy) -> Iterator[tuple[Key, str]]:
    """Every part, with the place where it stands."""

    def at(file: str, line: int | None) -> str:
        return file if line is None else f"{file}:{line}"

    folder = strategy.folder
    for row in strategy.rows:
        yield ("row", row.id), at(strategy.segments_file, row.line)
    for scheme in strategy.schemes:
        for number, tier in enumerate(scheme.rows, start=1):
            yield (
                ("tier", scheme.name, f"{number}", tier.tier),
                at(f"{folder}/tiers.yaml", tier.line),
            )
    for band in strategy.bands:
        for name in band.levels:
            yield ("band", band.name, name), f"{folder}/strategy.yaml"
    for guard in strategy.guards:
        yield ("guard", guard.name), at(f"{folder}/guards.yaml", guard.line)
    for path in strategy.paths:
        yield ("path", path.name), f"{folder}/paths.yaml"
        for number, step in enumerate(path.steps, start=1):
            yield ("step", path.name, f"{number}", step.key), at(f"{folder}/paths.yaml", step.line)


def _decided(subject: Portfolio, days: list[str]) -> Counter[Key]:
    """The decisions that used each part."""
    strategy, found = subject.strategy, Counter[Key]()
    if not days:
        return found
    listed = ", ".join(f"date '{day}'" for day in days)
    for columns in (
        ["rows_matched"],
        ["guards"],
        ["path", "step"],
        *([level(band.name)] for band in strategy.bands),
    ):
        names = ", ".join(columns)
        rows = subject.engine.rows(
            f"select {names}, count(*) from decided_days where day in ({listed}) group by {names}"
        )
        shown = [column.removeprefix('"level ').removesuffix('"') for column in columns]
        for *values, count in rows:
            for key in _used(strategy, dict(zip(shown, values, strict=True))):
                found[key] += int(count)
    return found


def _examples(subject: Portfolio) -> Counter[Key] | None:
    """The examples that use each part; None where they cannot be decided."""
    problems = Problems()
    decisions = run_examples(subject.engine, subject.strategy, ANY_DAY, problems)
    if len(decisions) < len(subject.strategy.examples):
        return None
    return Counter(key for decision in decisions for key in _used(subject.strategy, decision))


def _used(strategy: Strategy, decision: Mapping[str, Any]) -> Iterable[Key]:
    """The parts that a decision used, as far as these of its columns say."""
    for matched in filter(None, (decision.get("rows_matched") or "").split(";")):
        table, row = matched.split("#")
        if table == "segments":
            yield ("row", row)
        else:
            scheme = next(s for s in strategy.schemes if s.name == table)
            yield ("tier", table, row, scheme.rows[int(row) - 1].tier)
    for guard in filter(None, (decision.get("guards") or "").split(";")):
        yield ("guard", guard.removesuffix("?"))
    if (name := decision.get("path")) is not None:
        yield ("path", name)
        if (step := decision.get("step")) is not None:
            path = next((p for p in strategy.paths if p.name == name), None)
            if path is not None:
                yield ("step", name, f"{step}", path.steps[int(step) - 1].key)
    for band in strategy.bands:
        if decision.get(band.name) is not None:
            yield ("band", band.name, decision[band.name])
