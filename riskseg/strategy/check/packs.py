"""Guard packs: rules over kinds of action become guards over the strategy's own actions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from riskseg.domain.documents import shown_value
from riskseg.domain.problems import did_you_mean
from riskseg.rules.elements import Action
from riskseg.rules.model import Guard, Included, PackExample
from riskseg.strategy.authored import AuthoredAction, AuthoredGuard, AuthoredPackRule
from riskseg.strategy.check.entries import fits, guard_of, kind_of
from riskseg.strategy.check.scope import Scope
from riskseg.strategy.examples import misfit
from riskseg.strategy.packs import ALSO, KINDS

Kinds = Mapping[str, tuple[Action, ...]]
_RULES = ("guard", "hold", "requirement")


def check_pack(
    scope: Scope, entry: AuthoredGuard, i: int, actions: Sequence[Action]
) -> tuple[list[Guard], Included]:
    """The guards of the pack that the entry, the i-th of guards.yaml, includes; and what became
    of each of its rules."""
    pack = str(entry.include)
    authored, file = scope.authored.packs[pack], f"packs/{pack}.yaml"
    line = scope.line("guards.yaml", i)
    kinds = _kinds(scope, actions)
    without = _without(scope, entry, [_name(rule) for rule in authored.rules], i)
    guards: list[Guard] = []
    idle: list[tuple[str, tuple[str, ...]]] = []
    examples: list[PackExample] = []
    seen: set[str] = set()
    for j, rule in enumerate(authored.rules):
        at = ("rules", j)
        kind, name = kind_of(rule), _name(rule)
        if kind not in _RULES:
            told = f"A rule of a pack is one of: {', '.join(_RULES)}."
            scope.tell("RS004", told, file, *at)
            continue
        if name in seen:
            told = f'The rule "{name}" stands twice.'
            scope.tell("RS202", told, file, *at, hint="Give it another name.")
        seen.add(name)
        if not fits(scope, rule, kind, name, file, *at, besides=["examples"]):
            continue
        _known_kinds(scope, rule, kinds, file, j)
        if name in without:
            continue
        never, lacking = _forbidden(rule, kind, kinds, actions)
        if not never:
            idle.append((name, lacking))
            continue
        full = f"{pack}.{name}"
        instead = _mildest(rule.instead, never, kinds)
        guard = guard_of(scope, rule, kind, full, [a.name for a in never], instead, line, file, *at)
        if guard is not None:
            guards.append(guard)
            examples += _examples(scope, rule, guard, file, j)
    included = Included(
        name=pack,
        title=authored.title,
        for_=authored.for_,
        note=authored.note,
        not_covered=tuple(authored.not_covered),
        applying=tuple(g.name for g in guards),
        idle=tuple(idle),
        without=tuple(without),
        reason=entry.reason,
        examples=tuple(examples),
        line=line,
    )
    return guards, included


def check_means(scope: Scope) -> None:
    """Each kind an action is said to be is one that packs speak of; and where a pack is included,
    each significant action is of such a kind, or its rules could not apply to it."""
    packs = scope.authored.packs.values()
    known = {*KINDS, *(kind for pack in packs for rule in pack.rules for kind in _spoken_of(rule))}
    for i, action in enumerate(scope.authored.head.actions):
        for kind in _listed(action.means):
            if kind not in known:
                told = f'There is no kind of action "{kind}".'
                at = ("actions", i, "means")
                scope.tell("RS201", told, "strategy.yaml", *at, hint=did_you_mean(kind, known))
        named = action.means is not None or action.name in known
        if packs and action.significant and not named:
            close = get_close_matches(action.name, sorted(known - {"other"}), n=1)
            meant = f"Did you mean `means: {close[0]}`? " if close else ""
            scope.tell(
                "RS225",
                f'"{action.name}" is significant, and no included pack knows what kind of action '
                "it is: none of their rules about kinds of action applies to it.",
                "strategy.yaml",
                *("actions", i),
                hint=f"{meant}Say it with `means`: one of {', '.join(sorted(known))}; `other` says "
                "that it is none of the rest.",
            )


def _kinds(scope: Scope, actions: Sequence[Action]) -> Kinds:
    """The strategy's actions of each kind, from mild to harsh."""
    means = {a.name: kinds_of(a) for a in scope.authored.head.actions}
    found: dict[str, tuple[Action, ...]] = {}
    for action in actions:
        own = [*means[action.name], *(["contact"] if action.contact else [])]
        also = [more for kind in own for more in ALSO.get(kind, ())]
        for kind in dict.fromkeys([*own, *also]):
            found[kind] = (*found.get(kind, ()), action)
    return found


def kinds_of(action: AuthoredAction) -> list[str]:
    """The kinds an action says it is; its own name where it says none."""
    return _listed(action.means) or [action.name]


def _listed(means: str | list[str] | None) -> list[str]:
    return [means] if isinstance(means, str) else means or []


def _name(rule: AuthoredPackRule) -> str:
    return rule.guard or rule.hold or rule.requirement or ""


def _named(rule: AuthoredPackRule) -> list[str]:
    """The kinds of action a rule is about."""
    return [*(rule.never or ()), *([rule.of] if rule.of else [])]


def _spoken_of(rule: AuthoredPackRule) -> list[str]:
    """Those, and the kind it offers instead."""
    return [*_named(rule), *([rule.instead] if rule.instead else [])]


def _without(scope: Scope, entry: AuthoredGuard, rules: Iterable[str], i: int) -> list[str]:
    """The rules the strategy leaves out, which takes a reason."""
    left = entry.without or []
    names = list(rules)
    for j, name in enumerate(left):
        if name not in names:
            told = f'The pack "{entry.include}" has no rule "{name}".'
            hint = did_you_mean(name, names)
            scope.tell("RS201", told, "guards.yaml", i, "without", j, hint=hint)
    if left and not (entry.reason or "").strip():
        told = f'Rules of "{entry.include}" are left out without a `reason`.'
        hint = 'Add `reason: "…"`: it is shown with the strategy.'
        scope.tell("RS005", told, "guards.yaml", i, "without", hint=hint)
    elif not left and entry.reason is not None:
        told = "`reason` says why rules are left out, and none is."
        scope.tell("RS003", told, "guards.yaml", i, "reason", hint="Add `without`, or remove it.")
    return left


def _known_kinds(scope: Scope, rule: AuthoredPackRule, kinds: Kinds, file: str, j: int) -> None:
    """A kind that is misspelt would match no action, and protect nobody."""
    known = {*KINDS, *kinds}
    for one in _spoken_of(rule):
        if one not in known:
            told = f'There is no kind of action "{one}".'
            scope.tell("RS201", told, file, "rules", j, hint=did_you_mean(one, known))


def _forbidden(
    rule: AuthoredPackRule, kind: str, kinds: Kinds, actions: Sequence[Action]
) -> tuple[list[Action], tuple[str, ...]]:
    """The actions a rule forbids, and the kinds it names of which there are none."""
    if kind == "hold":
        return list(actions), ()
    never = {a.name: a for one in _named(rule) for a in kinds.get(one, ())}
    return list(never.values()), tuple(one for one in _named(rule) if one not in kinds)


def _mildest(instead: str | None, never: Sequence[Action], kinds: Kinds) -> str | None:
    """The mildest action of the kind that is not forbidden and no harsher than any that is."""
    least = min(a.rank for a in never)
    lawful = (a.name for a in kinds.get(instead or "", ()) if a.rank < least)
    return next(lawful, None)


def _examples(
    scope: Scope, rule: AuthoredPackRule, guard: Guard, file: str, j: int
) -> list[PackExample]:
    """The rule's examples; there is one it forbids and one it allows."""
    found = []
    for k, one in enumerate(rule.examples):
        at = ("rules", j, "examples", k)
        if (one.forbidden is None) == (one.allowed is None):
            scope.tell("RS005", "An example is either `forbidden` or `allowed`.", file, *at)
        for name, value in one.given.items():
            fact = scope.facts.get(name)
            if fact and (why := misfit(fact, value)):
                told = f"{name} is {shown_value(value)}, {why}."
                scope.tell("RS004", told, file, *at, "given", name)
            if name not in guard.when.expression.names | {"as_of"}:
                told = f'"{guard.name}" does not look at "{name}".'
                hint = did_you_mean(name, guard.when.expression.names)
                scope.tell("RS201", told, file, *at, "given", name, hint=hint)
        text = one.forbidden or one.allowed or ""
        shown = scope.authored.documents[file].file
        found.append(
            PackExample(
                guard.name, text, one.forbidden is not None, one.given, shown, scope.line(file, *at)
            )
        )
    if {example.forbidden for example in found} != {True, False}:
        told = f'The rule "{guard.name}" needs an example it forbids and one it allows.'
        scope.tell("RS005", told, file, "rules", j)
    return found
