"""The relations that decide accounts, as one chain of steps: each adds columns to those before.

The relations are those that the engine carries out, read as forms of the closed list. Columns that
no output needs are left out, and with them the steps that add nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from riskseg.domain.relations import Relation
from riskseg.expressions.dialects import UnknownFormError, parsed, read
from riskseg.expressions.dialects.forms import (
    NULL,
    Column,
    Form,
    Value,
    columns_in,
    least,
)


@dataclass(frozen=True)
class Step:
    """A relation with the columns that it adds, by name, to those of the one before."""

    name: str
    added: Mapping[str, Form]


@dataclass(frozen=True)
class Chain:
    """`steps` from the table of facts on, and what each of the `outputs` is, in their order."""

    steps: tuple[Step, ...]
    outputs: Mapping[str, Form]

    @property
    def read(self) -> frozenset[str]:
        """The columns of the table of facts that are read."""
        added = {name for step in self.steps for name in step.added}
        forms = [form for step in self.steps for form in step.added.values()]
        named = set().union(*map(columns_in, (*forms, *self.outputs.values())))
        return frozenset(named - added)


def chain(
    relations: Sequence[Relation], facts: Mapping[str, Form], outputs: Iterable[str]
) -> Chain:
    """The chain of `relations`, from `scored` to the last of them. `facts` are the columns of
    `scored`, and `outputs` the columns wanted of the last. Raises UnknownFormError."""
    links = _Links({"scored": facts})
    for relation in relations:
        select = parsed(relation.select)
        if not isinstance(select, exp.Select):
            raise UnknownFormError(relation.select)
        links.follow(relation.name, select)
    found = links.columns[relations[-1].name]
    made = _without_idle(links.steps, {output: found[output] for output in outputs})
    for name in sorted(made.read & links.unreadable.keys()):
        raise links.unreadable[name]
    return made


_PARTS = {"with_", "expressions", "from_"}


@dataclass
class _Links:
    """`columns` are those of each relation so far, and what stands for each."""

    columns: dict[str, Mapping[str, Form]]
    steps: list[Step] = field(default_factory=list)
    unreadable: dict[str, UnknownFormError] = field(default_factory=dict)

    def follow(self, name: str, select: exp.Select) -> None:
        """Add the steps of a relation."""
        with_ = select.args.get("with_")
        for before in with_.expressions if with_ is not None else ():
            self.follow(before.alias, before.this)
        unknown = {key for key, part in select.args.items() if part} - _PARTS
        if unknown:
            raise UnknownFormError(f"{', '.join(sorted(unknown))} in {name}")
        source = self._source(name, select.args["from_"].this)
        self._add(name, select, self.columns[source])

    def _source(self, name: str, source: exp.Expr) -> str:
        if isinstance(source, exp.Subquery):
            inner = f"{name}_before"
            self.follow(inner, source.this)
            return inner
        if not isinstance(source, exp.Table) or source.name not in self.columns:
            raise UnknownFormError(source.sql(dialect="duckdb"))
        return source.name

    def _add(self, name: str, select: exp.Select, before: Mapping[str, Form]) -> None:
        star, *projections = select.expressions
        if not isinstance(star, exp.Star):
            raise UnknownFormError(f"{name} lists its columns")
        without = {column.name for column in star.args.get("except_") or ()}
        columns = {column: form for column, form in before.items() if column not in without}
        added: dict[str, Form] = {}
        for projection in (*(star.args.get("replace") or ()), *projections):
            if not isinstance(projection, exp.Alias):
                raise UnknownFormError(projection.sql(dialect="duckdb"))
            columns[projection.alias] = self._read(projection, before, added)
        self.columns[name] = columns
        self.steps.append(Step(name, added))

    def _read(
        self, projection: exp.Alias, before: Mapping[str, Form], added: dict[str, Form]
    ) -> Form:
        """What stands for a column that is added: itself, where it is a column or a value."""
        alias = projection.alias
        try:
            form = read(projection.this, before.__getitem__)
        except UnknownFormError as error:
            # Only what is needed must be readable.
            self.unreadable[alias] = error
            return Column(alias, NULL)
        if isinstance(form, Column | Value) and not alias.startswith("!"):
            return form  # a guard keeps its name
        for known, other in added.items():
            if other == form:
                return Column(known, form.type, form.nullable, least(form))
        taken = {name for step in self.steps for name in step.added}
        name, number = alias, 1
        while name in taken or name in added:
            number += 1
            name = f"{alias} {number}"
        added[name] = form
        return Column(name, form.type, form.nullable, least(form))


def _without_idle(steps: Sequence[Step], outputs: Mapping[str, Form]) -> Chain:
    """The chain without columns that nothing needs."""
    needed = set().union(*map(columns_in, outputs.values()))
    kept: list[Step] = []
    for step in reversed(steps):
        added = {name: form for name, form in step.added.items() if name in needed}
        if added:
            kept.insert(0, Step(step.name, added))
            needed.update(*map(columns_in, added.values()))
    return Chain(tuple(kept), outputs)
