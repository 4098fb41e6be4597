"""The shapes of guards.yaml and of a pack's file: made of the keys of all registered kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, reduce
from operator import or_
from typing import Any

from pydantic import BaseModel, Field, RootModel, create_model

from riskseg.domain.documents import Shape
from riskseg.rules.rule import Rule, registered
from riskseg.strategy.packs.authored import AuthoredPack, AuthoredPackExample


def entry_shape() -> type[Shape]:
    """The shape of one entry of guards.yaml; which kind it is, the key that names it says."""
    return _entry_shape(tuple(registered().values()))


def rules_shape() -> type[RootModel[Any]]:
    """The shape of guards.yaml: a list of entries."""
    return _rules_shape(entry_shape())


def pack_shape() -> type[AuthoredPack]:
    """The shape of a pack's file, whose rules name kinds of action where a strategy names
    actions."""
    return _pack_shape(entry_shape())


def written_rules() -> type[RootModel[Any]]:
    """What guards.yaml may hold, kind by kind: each entry with the keys of its own kind alone."""
    return _written_rules(tuple(registered().values()))


def written_pack() -> type[AuthoredPack]:
    """What a pack's file may hold, kind by kind."""
    kinds = tuple(kind for kind in registered().values() if kind.in_packs)
    source: Any = (str, Field(description="the law or policy it comes from"))
    examples: Any = (
        list[AuthoredPackExample],
        Field(description="accounts just inside the rule, and just outside it"),
    )
    rules: Any = reduce(
        or_, (_of_kind(kind, "Pack", source=source, examples=examples) for kind in kinds)
    )
    words = AuthoredPack.model_fields["rules"].description
    return create_model(
        "Pack", __base__=AuthoredPack, rules=(list[rules], Field(description=words))
    )


def key_words() -> Mapping[str, str]:
    """What each key of an entry means, for the reference."""
    kinds = registered().values()
    words = {kind.kind: kind.words for kind in kinds}
    return words | {key.name: key.words for kind in kinds for key in (*kind.needs, *kind.takes)}


def values_of(entry: BaseModel) -> dict[str, Any]:
    """What an entry says, by the keys that are written."""
    return {name: getattr(entry, name) for name in entry.model_fields_set}


def kind_of(values: Mapping[str, Any]) -> type[Rule] | None:
    """Which kind of rule an entry is; None where it is not exactly one."""
    kinds = [kind for name, kind in registered().items() if values.get(name) is not None]
    return kinds[0] if len(kinds) == 1 else None


@cache
def _entry_shape(kinds: Sequence[type[Rule]]) -> type[Shape]:
    types = {kind.kind: kind.named for kind in kinds}
    types |= {key.name: key.type for kind in kinds for key in (*kind.needs, *kind.takes)}
    keys: dict[str, Any] = {name: (type_ | None, None) for name, type_ in types.items()}
    return create_model("AuthoredRule", __base__=Shape, **keys)


@cache
def _written_rules(kinds: Sequence[type[Rule]]) -> type[RootModel[Any]]:
    entry: Any = reduce(or_, map(_of_kind, kinds))
    return RootModel[list[entry]]


def _of_kind(kind: type[Rule], of: str = "", **also: Any) -> type[Shape]:
    """An entry of one kind: the key that names it, what it needs, and what it may have."""
    keys: dict[str, Any] = {kind.kind: (kind.named, Field(description=kind.words))}
    keys |= {key.name: (key.type, Field(description=key.words)) for key in kind.needs}
    keys |= {key.name: (key.type | None, Field(None, description=key.words)) for key in kind.takes}
    name = f"{of}{''.join(map(str.capitalize, kind.kind.split('_')))}"
    return create_model(name, __base__=Shape, **(keys | also))


@cache
def _rules_shape(entry: Any) -> type[RootModel[Any]]:
    return RootModel[list[entry]]


@cache
def _pack_shape(entry: Any) -> type[AuthoredPack]:
    examples: Any = list[AuthoredPackExample]
    rule: Any = create_model(
        "AuthoredPackRule", __base__=entry, source=(str, ...), examples=(examples, ...)
    )
    return create_model("AuthoredPack", __base__=AuthoredPack, rules=(list[rule], ...))
