"""What entries of guards.yaml and of packs have in common: their kinds, keys and conditions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, cast

from riskseg.domain.problems import did_you_mean
from riskseg.domain.words import with_article
from riskseg.rules.elements import Condition
from riskseg.rules.model import Guard
from riskseg.strategy.authored import AuthoredGuard
from riskseg.strategy.check.periods import Period
from riskseg.strategy.check.scope import Scope

KINDS = ("guard", "hold", "requirement", "duty", "prove", "include")
# The keys each kind needs, and those it may have.
_ALWAYS = {"source", "effective_from", "effective_to"}
_TAKES: dict[str, tuple[set[str], set[str]]] = {
    "guard": ({"when", "never"}, {"instead", "unknown"} | _ALWAYS),
    "hold": ({"when"}, {"unknown"} | _ALWAYS),
    "requirement": ({"of", "needs"}, {"instead"} | _ALWAYS),
    "prove": (set(), {"name", "unknown", "source"}),
    "include": (set(), {"without", "reason"}),
}
_CALLED = {"prove": "property", "include": "pack"}


def kind_of(entry: AuthoredGuard) -> str | None:
    """Which kind of entry it is; None where it is not exactly one."""
    kinds = [k for k in KINDS if getattr(entry, k) is not None]
    return kinds[0] if len(kinds) == 1 else None


def fits(
    scope: Scope,
    entry: AuthoredGuard,
    kind: str,
    name: str,
    file: str,
    *at: str | int,
    besides: Iterable[str] = (),
) -> bool:
    """Whether the entry has the keys of its kind, with something in them, no others, and days on
    which it holds."""
    needed, optional = _TAKES[kind]
    called = _CALLED.get(kind, kind)
    sound = True
    for key in sorted(entry.model_fields_set - needed - optional - {kind, *besides}):
        told = f'"{key}" does not go with {with_article(called)}.'
        scope.tell("RS003", told, file, *at, key, hint=did_you_mean(key, needed | optional))
        sound = False
    # Written and left empty is no better: a guard that forbids nothing guards nobody.
    for key in sorted(k for k in needed if getattr(entry, k) in (None, [])):
        told = f'The {called} "{name}" has no `{key}`.'
        scope.tell("RS005", told, file, *at, key)
        sound = False
    if not (period := Period.of(entry)):
        told = f'The {called} "{name}" holds {period}: its last day is before its first.'
        scope.tell("RS004", told, file, *at, "effective_to")
    return sound


def guard_of(
    scope: Scope,
    entry: AuthoredGuard,
    kind: str,
    name: str,
    never: Iterable[str],
    instead: str | None,
    line: int | None,
    file: str,
    *at: str | int,
) -> Guard | None:
    """The guard, or None after telling what is wrong with its condition."""
    text, key = (entry.needs, "needs") if kind == "requirement" else (entry.when, "when")
    # An unknown guard protects; an unknown need is not met.
    expression = scope.expression(text, file, *at, key, unknown=True)
    if expression is None:
        return None
    return Guard(
        name=name,
        kind=cast(Literal["guard", "hold", "requirement"], kind),
        when=Condition(expression, kind != "requirement" and entry.unknown != "skip"),
        negated=kind == "requirement",
        never=frozenset(never),
        instead=instead,
        source=entry.source,
        effective_from=entry.effective_from,
        effective_to=entry.effective_to,
        line=line,
    )
