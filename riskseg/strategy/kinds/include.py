"""`include`: a guard pack, whose rules over kinds of action become rules over the strategy's own
actions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskseg.domain.documents import shown_value
from riskseg.domain.problems import did_you_mean
from riskseg.rules.elements import Action
from riskseg.rules.keys import INSTEAD, Key
from riskseg.rules.model import PackExample
from riskseg.rules.rule import Entry, Restriction, Rule, Scope, registered
from riskseg.strategy.examples import misfit
from riskseg.strategy.kinds.shape import kind_of, values_of
from riskseg.strategy.packs import ALSO, KINDS
from riskseg.strategy.packs.authored import AuthoredPack, AuthoredPackExample

WITHOUT = Key("without", list[str], "include: rules of the pack that are left out")
REASON = Key("reason", str, "include: why they are")

# The actions of each kind of action, from mild to harsh.
Kinds = Mapping[str, tuple[Action, ...]]


@dataclass(frozen=True, kw_only=True)
class Included(Rule):
    """A guard pack the strategy includes: which of its rules are among the guards, which speak of
    kinds of action the strategy has none of, which it leaves out and why."""

    kind = "include"
    words = (
        "the name of a guard pack: `au-energy`, `gb-energy`, `gb-water`, `us-collections`, or "
        "one's own"
    )
    called = "pack"
    section = "packs"
    takes = (WITHOUT, REASON)
    twice = "Remove one of them."

    title: str
    for_: str
    note: str
    not_covered: tuple[str, ...]
    applying: tuple[str, ...]
    idle: tuple[tuple[str, tuple[str, ...]], ...]
    without: tuple[str, ...]
    reason: str | None
    examples: tuple[PackExample, ...]

    @classmethod
    def check(cls, entry: Entry) -> Sequence[Rule]:
        """The rules that the pack brings, and what became of each of its rules."""
        pack: AuthoredPack = entry.scope.packs[entry.name]
        rules = [_PackRule.of(entry, rule, number) for number, rule in enumerate(pack.rules)]
        without = _without(entry, [rule.name for rule in rules])
        kinds = _actions_by_kind(entry.scope)
        brought: list[Rule] = []
        idle: list[tuple[str, tuple[str, ...]]] = []
        examples: list[PackExample] = []
        seen: set[str] = set()
        for rule in rules:
            kind = rule.kind
            if kind is None:
                allowed = [n for n, known in registered().items() if _kind_in_packs(known)]
                message = f"A rule of a pack is one of: {', '.join(allowed)}."
                rule.entry.add_problem("RS004", message)
                continue
            if rule.name in seen:
                message = f'The rule "{rule.name}" occurs twice.'
                rule.entry.add_problem("RS202", message, hint=kind.twice)
            seen.add(rule.name)
            if not kind.has_its_keys(rule.entry, besides=["examples"]):
                continue
            _check_kinds(rule, kinds)
            if rule.name in without:
                continue
            actions, lacking = _about(rule, kind, kinds)
            if not actions:
                idle.append((rule.name, lacking))
                continue
            instead = _mildest(rule.entry.get(INSTEAD), actions, kinds)
            checked = kind.of(rule.full, [action.name for action in actions], instead)
            if checked is not None:
                brought.append(checked)
                examples += _examples(rule, checked)
        included = cls(
            name=entry.name,
            line=entry.line,
            title=pack.title,
            for_=pack.for_,
            note=pack.note,
            not_covered=tuple(pack.not_covered),
            applying=tuple(checked.name for checked in brought),
            idle=tuple(idle),
            without=tuple(without),
            reason=entry.get(REASON),
            examples=tuple(examples),
        )
        return [*brought, included]

    def parts(self) -> Mapping[str, object]:
        """What a pack brings is among the other rules; here is what was left out."""
        return {WITHOUT.name: frozenset(self.without), REASON.name: self.reason}

    def canonical(self) -> object:
        return [self.name, frozenset(self.without), self.reason]

    def described(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
            "applying": self.applying,
            "idle": [{"rule": rule, "kinds": kinds} for rule, kinds in self.idle],
            "without": self.without,
            "reason": self.reason,
            "not_covered": self.not_covered,
        }


@dataclass(frozen=True)
class _PackRule:
    """A rule of a pack: its kind where it is one that packs may have, its entry under the name it
    has in the pack and under the `full` one it has in the strategy, its examples."""

    kind: type[Rule] | None
    entry: Entry
    full: Entry
    examples: Sequence[AuthoredPackExample]

    @property
    def name(self) -> str:
        return self.entry.name

    @classmethod
    def of(cls, included: Entry, rule: Any, number: int) -> _PackRule:
        values = values_of(rule)
        kind = _kind_in_packs(kind_of(values))
        name = kind.name_of(values, number) if kind else ""
        file = f"packs/{included.name}.yaml"
        entry, full = (
            Entry(values, name_, included.scope, included.line, ("rules", number), file)
            for name_ in (name, f"{included.name}.{name}")
        )
        return cls(kind, entry, full, rule.examples)


def _kind_in_packs(kind: type[Rule] | None) -> type[Rule] | None:
    """The kind, where it is one whose rules packs may have."""
    return kind if kind is not None and kind.in_packs else None


def kinds_spoken_of(values: Mapping[str, Any]) -> list[str]:
    """The kinds of action that a pack's rule is about, and the kind it offers instead."""
    kind = kind_of(values)
    named = kind.named_actions(values) if kind else []
    instead = values.get(INSTEAD.name)
    return [*(name for name, _ in named), *([instead] if instead else [])]


def _actions_by_kind(scope: Scope) -> Kinds:
    by_kind: dict[str, tuple[Action, ...]] = {}
    for action in scope.actions:
        own = [*scope.means[action.name], *(["contact"] if action.contact else [])]
        also = [more for kind in own for more in ALSO.get(kind, ())]
        for kind in dict.fromkeys([*own, *also]):
            by_kind[kind] = (*by_kind.get(kind, ()), action)
    return by_kind


def _without(entry: Entry, rules: Sequence[str]) -> list[str]:
    """The rules the strategy leaves out, which takes a reason."""
    without: list[str] = entry.get(WITHOUT) or []
    reason: str | None = entry.get(REASON)
    for number, name in enumerate(without):
        if name not in rules:
            message = f'The pack "{entry.name}" has no rule "{name}".'
            entry.add_problem("RS201", message, "without", number, hint=did_you_mean(name, rules))
    if without and not (reason or "").strip():
        message = f'Rules of "{entry.name}" are left out without a `reason`.'
        hint = 'Add `reason: "…"`: it is shown with the strategy.'
        entry.add_problem("RS005", message, "without", hint=hint)
    elif not without and reason is not None:
        message = "`reason` says why rules are left out, and none is."
        entry.add_problem("RS003", message, "reason", hint="Add `without`, or remove it.")
    return without


def _check_kinds(rule: _PackRule, kinds: Iterable[str]) -> None:
    """A kind that is misspelt would match no action, and protect nobody."""
    known = {*KINDS, *kinds}
    for name in kinds_spoken_of(rule.entry.values):
        if name not in known:
            message = f'There is no kind of action "{name}".'
            rule.entry.add_problem("RS201", message, hint=did_you_mean(name, known))


def _about(rule: _PackRule, kind: type[Rule], kinds: Kinds) -> tuple[list[Action], tuple[str, ...]]:
    """The actions a rule forbids or asks for, and the kinds it names of which there are none."""
    if issubclass(kind, Restriction) and kind.stops_everything:
        return list(rule.entry.scope.actions), ()
    named = [name for name, _ in kind.named_actions(rule.entry.values)]
    actions = {action.name: action for name in named for action in kinds.get(name, ())}
    return list(actions.values()), tuple(name for name in named if name not in kinds)


def _mildest(instead: str | None, never: Sequence[Action], kinds: Kinds) -> str | None:
    """The mildest action of the kind that is not forbidden and no harsher than any that is."""
    least = min(action.rank for action in never)
    lawful = (action.name for action in kinds.get(instead or "", ()) if action.rank < least)
    return next(lawful, None)


def _examples(rule: _PackRule, brought: Rule) -> list[PackExample]:
    """The rule's examples; there is one it applies to and one it does not."""
    entry = rule.entry
    facts_read = brought.named_facts
    applies, does_not = brought.example_words
    checked = []
    for number, example in enumerate(rule.examples):
        place = ("examples", number)
        texts = example.model_dump(exclude={"given"}, exclude_none=True)
        if len(texts) != 1 or not texts.keys() <= {applies, does_not}:
            message = f"An example is either `{applies}` or `{does_not}`."
            entry.add_problem("RS005", message, *place)
        besides = brought.facts_in_examples
        given = {besides.get(name, name): value for name, value in example.given.items()}
        for name, value in given.items():
            fact = entry.scope.facts.get(name)
            if fact and (why := misfit(fact, value)):
                message = f"{name} is {shown_value(value)}, {why}."
                entry.add_problem("RS004", message, *place, "given", name)
            if name not in facts_read | {"as_of", *besides.values()}:
                message = f'"{brought.name}" does not look at "{name}".'
                hint = did_you_mean(name, facts_read)
                entry.add_problem("RS201", message, *place, "given", name, hint=hint)
        checked.append(
            PackExample(
                guard=brought.name,
                text=next(iter(texts.values()), ""),
                forbidden=applies in texts,
                given=given,
                words=brought.example_words,
                **entry.scope.at(entry.file, *entry.at, *place),
            )
        )
    if {example.forbidden for example in checked} != {True, False}:
        message = (
            f'The rule "{brought.name}" needs an example that is `{applies}` and one that is '
            f"`{does_not}`."
        )
        entry.add_problem("RS005", message)
    return checked
