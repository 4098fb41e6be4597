"""One version of a strategy together with the files it was read from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, fields, is_dataclass, replace
from typing import Any

from riskseg.domain.documents import Document
from riskseg.expressions import Expression, by_name
from riskseg.rules.cells import NumberRange
from riskseg.rules.model import Strategy
from riskseg.rules.named_numbers import NamedDecimal, NamedInteger


@dataclass(frozen=True)
class Edition:
    """A checked strategy and the files it was read from, by name: they know its lines, and the
    texts are what was read."""

    strategy: Strategy
    documents: Mapping[str, Document]
    texts: Mapping[str, str]

    def line(self, file: str, *path: str | int) -> int | None:
        document = self.documents.get(file)
        return document.line(*path) if document else None


class ByName(str):
    """A constant by its name, in the place of its number."""

    @property
    def constant(self) -> str:
        return str(self)[1:]


def with_names_of_constants(old: Edition, new: Edition) -> tuple[Edition, Edition]:
    """Both editions with constants that changed by their names: the change of a constant is one of
    its own, and none of every condition that uses it."""
    before = {constant.name: constant.value for constant in old.strategy.constants}
    after = {constant.name: constant.value for constant in new.strategy.constants}
    names = {name for name in before.keys() & after.keys() if before[name] != after[name]}
    if not names:
        return old, new

    def by_its_name(part: Any) -> Any:
        match part:
            case Expression():
                return replace(part, tree=by_name(part.tree, names))
            case NamedInteger() | NamedDecimal() if part.constant in names:
                return ByName(f"${part.constant}")
            case NumberRange():
                return part.by_name(names)
            case tuple() | frozenset():
                return type(part)(map(by_its_name, part))
            case _ if is_dataclass(part) and not isinstance(part, type):
                values = {f.name: by_its_name(getattr(part, f.name)) for f in _given(part)}
                return replace(part, **values)
        return part

    return (
        replace(old, strategy=by_its_name(old.strategy)),
        replace(new, strategy=by_its_name(new.strategy)),
    )


def _given(thing: Any) -> Iterator[Field[Any]]:
    return (part for part in fields(thing) if part.init)
