"""One plan, two readers: `--plan` prints the very list of stages that is carried out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from riskseg.domain.relations import Relation

if TYPE_CHECKING:
    from riskseg.engine import Engine


@dataclass(frozen=True, slots=True)
class Stage:
    """One thing a run does. `each` names what it is repeated for, if anything."""

    name: str
    does: str
    each: str = ""

    def as_dict(self) -> dict[str, str]:
        return {"stage": self.name, "does": self.does, "each": self.each}


@dataclass(frozen=True, slots=True)
class Progress:
    """How a run tells where it is: `reached(stage, done, total)` at the start of each stage, and
    `within(done, text)` as a long one goes on.

    `note` passes on a remark a person should see. All default to silence.
    """

    reached: Callable[[Stage, int, int], None] = lambda _stage, _done, _total: None
    within: Callable[[float, str], None] = lambda _done, _text: None
    note: Callable[[str], None] = lambda _text: None


def build(engine: Engine, relations: Iterable[Relation]) -> None:
    """Make the materialized relations, each in one statement with the others before it.

    One with two columns of one name is refused, materialized or not: DuplicateColumnsError.
    """
    pending: list[Relation] = []
    for relation in relations:
        ctes = ", ".join(f"{r.name} as ({r.select})" for r in pending)
        select = (f"with {ctes} " if ctes else "") + relation.select
        engine.check_columns(select)
        if relation.materialized:
            engine.run(f"create or replace temp table {relation.name} as {select}")
        else:
            pending.append(relation)
