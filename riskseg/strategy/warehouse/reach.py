"""What an account that tests an exported query reaches: parts of the strategy, and the values on
both sides of each number that a part cuts at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from riskseg.rules.elements import in_force
from riskseg.rules.state import is_state
from riskseg.strategy.warehouse.query import Query


@dataclass(frozen=True)
class Reach:
    """`read_by` are the facts that each part reads of which a decision says how it came out: a tier
    scheme, a guard, the table of segments. `near_steps` are the days of each path on which a step
    comes due, those before and those after. `treated` are the facts of how an account was treated.
    """

    query: Query
    read_by: Mapping[str, frozenset[str]]
    near_steps: frozenset[tuple[str, int]]
    treated: tuple[str, ...]

    @classmethod
    def of(cls, query: Query) -> Reach:
        strategy = query.strategy
        read_by = {f"!{g.name}": g.named_facts for g in in_force(strategy.guards, query.day)}
        for scheme in strategy.schemes:
            conditions = [row.when.expression.names for row in scheme.rows if row.when is not None]
            read_by[f"#{scheme.name}"] = frozenset().union(*conditions)
        read_by["#"] = frozenset(strategy.columns)
        near_steps = frozenset(
            (path.name, step.day + days)
            for path in strategy.paths
            for step in path.steps
            for days in (-1, 0, 1)
        )
        read = query.facts.keys() - {"as_of"}
        read_by = {part: names & read for part, names in read_by.items()}
        return cls(query, read_by, near_steps, tuple(filter(is_state, query.facts)))

    def by(self, account: Mapping[str, Any], decision: Mapping[str, Any]) -> Iterator[object]:
        """What one account reaches. `decision` has what the query gives, and under the names of
        the parts how they came out."""
        levels = self.query.strategy.levels
        for name, value in decision.items():
            if name in self.read_by or name in (*levels, "segment", "path", "action"):
                yield name, value
        yield from ((guard, "in force") for guard in decision["guards"].split(";"))
        first, path, step = (decision[name] for name in ("first", "due_path", "step"))
        yield "step", path, step
        yield "route", first, path, step, decision["due_action"], decision["action"]
        if (decision["path"], decision["path_day"]) in self.near_steps:
            yield "day", first, decision["path"], decision["path_day"], step
        for fact in self.treated:
            if account[fact] is not None:
                yield "treated", fact, step is None
        for fact in self.query.facts:
            yield "fact", fact, _side(account, fact)
        for part, facts in self.read_by.items():
            for fact in facts:
                yield part, decision[part], fact, _side(account, fact)

    def wanted(self) -> Iterator[tuple[object, str]]:
        """What a test should reach, each with words for it."""
        strategy = self.query.strategy
        for band in strategy.bands:
            for level in band.levels:
                yield (band.name, level), f"{band.name} {level}"
        for scheme in strategy.schemes:
            for number, row in enumerate(scheme.rows, start=1):
                yield (f"#{scheme.name}", number), f"{scheme.name}, row {number}: {row.tier}"
        for number, segment_row in enumerate(strategy.rows, start=1):
            yield ("#", number), f"the row {segment_row.id} of the table of segments"
        for guard in in_force(strategy.guards, self.query.day):
            yield (f"!{guard.name}", True), f"{guard.kind} {guard.name}"
        for path in in_force(strategy.paths, self.query.day):
            for number, _ in enumerate(path.steps, start=1):
                yield ("step", path.name, number), f"step {number} of the path {path.name}"
        for duty in in_force(strategy.duties, self.query.day):
            yield ("step", duty.path, None), duty.path


def _side(account: Mapping[str, Any], fact: str) -> object:
    """The value of a fact; of a date, whether it is before the as-of date, on it or after it."""
    value, as_of = account[fact], account["as_of"]
    if isinstance(value, date):
        return (value > as_of) - (value < as_of)
    return value
