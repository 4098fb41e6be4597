"""The shapes of guards.yaml and of a pack's file: made of the keys of all registered kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel, RootModel, create_model

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
def _rules_shape(entry: Any) -> type[RootModel[Any]]:
    return RootModel[list[entry]]


@cache
def _pack_shape(entry: Any) -> type[AuthoredPack]:
    examples: Any = list[AuthoredPackExample]
    rule: Any = create_model(
        "AuthoredPackRule", __base__=entry, source=(str, ...), examples=(examples, ...)
    )
    return create_model("AuthoredPack", __base__=AuthoredPack, rules=(list[rule], ...))
