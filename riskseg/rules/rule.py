"""A kind of rule is a class, and a checked rule of a strategy one of its instances.

The class declares the keys that entries of the kind have in guards.yaml, and checks them; the
instance says what the rule is to an account, as SQL and as a term of a proof, what is claimed of
it, and what a description, a diff and the fingerprint hold of it. `registered` lists the kinds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any, ClassVar, Protocol

from riskseg.domain.facts import MOST_DAYS, Fact
from riskseg.domain.problems import did_you_mean
from riskseg.domain.words import with_article
from riskseg.expressions import Expression
from riskseg.expressions.smt import both, either
from riskseg.rules.elements import NO_ACTION, Action, Condition
from riskseg.rules.keys import INSTEAD, UNKNOWN, WHEN, Key, Name
from riskseg.rules.periods import Period
from riskseg.rules.proof_account import Account, condition_holds, within
from riskseg.rules.sql import condition_sql, fact_sql

FILE = "guards.yaml"


class Scope(Protocol):
    """What the check of a rule may look at: the facts, the actions from mild to harsh with the
    kinds of action that each `means`, what is decided of an account (as names that an expression
    may use) and the packs, by name. `at` gives the file and line of a Problem."""

    facts: dict[str, Fact]
    actions: Sequence[Action]
    decided: Mapping[str, Fact]

    @property
    def means(self) -> Mapping[str, Sequence[str]]: ...

    @property
    def packs(self) -> Mapping[str, Any]: ...

    def at(self, file: str, *path: str | int) -> dict[str, Any]: ...

    def expression(
        self,
        text: object,
        file: str,
        *path: str | int,
        value: bool = False,
        unknown: bool = False,
        decided: Mapping[str, Fact] | None = None,
    ) -> Expression | None: ...

    def whole(
        self, written: int | str, file: str, *path: str | int, least: int, most: int
    ) -> int | None: ...

    def add_problem(
        self, code: str, what: str, file: str, *path: str | int, hint: str = ""
    ) -> None: ...

    def note(self, text: str, file: str, *path: str | int) -> None: ...


@dataclass(frozen=True)
class Entry:
    """An entry of guards.yaml or a rule of a pack: what it says under each key that is written,
    its name, and the place where it stands. `line` is that of guards.yaml."""

    values: Mapping[str, Any]
    name: str
    scope: Scope
    line: int | None
    at: tuple[str | int, ...]
    file: str = FILE

    def get(self, key: Key) -> Any:
        return self.values.get(key.name)

    def add_problem(self, code: str, message: str, *below: str | int, hint: str = "") -> None:
        """A Problem about the entry, or about what stands at a path below it."""
        self.scope.add_problem(code, message, self.file, *self.at, *below, hint=hint)

    def number(self, key: Key, most: int = MOST_DAYS) -> int | None:
        """The whole number under a key, from 1 to `most`, written as such or as a constant; None
        where there is none, or after a Problem."""
        written = self.get(key)
        if written is None:
            return None
        place = (*self.at, key.name)
        return self.scope.whole(written, self.file, *place, least=1, most=most)

    def expression(
        self, key: Key, *, decided: Mapping[str, Fact] | None = None
    ) -> Expression | None:
        """The checked expression under a key, which may be unknown; None after a Problem."""
        place = (*self.at, key.name)
        text = self.get(key)
        return self.scope.expression(text, self.file, *place, unknown=True, decided=decided)


class DecisionTerms(Protocol):
    """What is decided for an account, as terms: whether each restriction is in force, by name,
    and the rank of the step's own action (0: none) and of the one emitted."""

    @property
    def account(self) -> Account: ...

    @property
    def guards(self) -> Mapping[str, Any]: ...

    @property
    def due(self) -> Any: ...

    @property
    def rank(self) -> Any: ...

    def term(self, expression: Expression) -> Any: ...


@dataclass(frozen=True)
class Question:
    """Is there an account of which all of `asked` is so? `fault` is what is wrong then."""

    fault: str
    asked: tuple[Any, ...]


@dataclass(frozen=True)
class Claim:
    """What is claimed of a rule: that there is no account as any of the questions asks, in their
    order; or, with `some`, that there is one."""

    name: str
    questions: tuple[Question, ...]
    some: bool = False


@dataclass(frozen=True, kw_only=True)
class Rule(ABC):
    """A checked rule. Of the class, the kind: `kind` is the key that names an entry, of the type
    `named` and with the words `words`; `called` is what messages call it. An entry needs the keys
    `needs` and may have those of `takes`. `claims` are the properties that are proved, each with
    what it means. Rules of one `section` stand together in descriptions, diffs and the
    fingerprint. A kind that is checked `late` may name what all others bring about.
    """

    kind: ClassVar[str]
    named: ClassVar[Any] = Name
    words: ClassVar[str]
    called: ClassVar[str]
    needs: ClassVar[tuple[Key, ...]] = ()
    takes: ClassVar[tuple[Key, ...]] = ()
    claims: ClassVar[Mapping[str, str]] = {}
    section: ClassVar[str]
    late: ClassVar[bool] = False
    # Whether a pack may have it. In a pack, its keys name kinds of action instead of actions, and
    # each of its examples says by one of the words `example_words` whether the rule applies.
    in_packs: ClassVar[bool] = False
    example_words: ClassVar[tuple[str, str]] = ("applies", "does_not_apply")
    twice: ClassVar[str] = "Give it another name."  # the hint where two entries have one name

    name: str
    line: int | None = field(default=None, metadata={"place": True})

    @classmethod
    def name_of(cls, values: Mapping[str, Any], number: int) -> str:
        """The name of the entry, the `number`th of its kind from 1."""
        return str(values[cls.kind])

    @classmethod
    def has_its_keys(cls, entry: Entry, besides: Iterable[str] = ()) -> bool:
        """Whether the entry has the keys of its kind, with something in them, no others, and days
        on which it holds. Adds a Problem for each key at fault."""
        needed, known = {k.name for k in cls.needs}, {k.name for k in (*cls.needs, *cls.takes)}
        sound = True
        for key in sorted(set(entry.values) - known - {cls.kind, *besides}):
            message = f'"{key}" does not go with {with_article(cls.called)}.'
            entry.add_problem("RS003", message, key, hint=did_you_mean(key, known))
            sound = False
        # Written and left empty is no better: a guard that forbids nothing guards nobody.
        for key in sorted(k for k in needed if entry.values.get(k) in (None, [])):
            message = f'The {cls.called} "{entry.name}" has no `{key}`.'
            hint = f"Write what it is behind `{key}:`."
            entry.add_problem("RS005", message, key, hint=hint)
            sound = False
        dates = (entry.values.get("effective_from"), entry.values.get("effective_to"))
        if not (period := Period(dates[0] or date.min, dates[1] or date.max)):
            message = f'The {cls.called} "{entry.name}" holds {period}: its last day is before '
            entry.add_problem("RS004", f"{message}its first.", "effective_to")
        return sound

    @classmethod
    @abstractmethod
    def check(cls, entry: Entry) -> Sequence[Rule]:
        """The checked rules that an entry brings; fewer after adding its Problems."""

    @classmethod
    def named_actions(
        cls, values: Mapping[str, Any]
    ) -> Sequence[tuple[str, tuple[str | int, ...]]]:
        """The actions an entry names as what the rule is about, and where below it."""
        return []

    @classmethod
    def of(cls, entry: Entry, actions: Iterable[str], instead: str | None) -> Rule | None:
        """The rule about these actions, or None after adding what is wrong with its entry."""
        raise NotImplementedError

    @property
    def named_facts(self) -> frozenset[str]:
        """The facts that its expressions name."""
        return frozenset()

    @property
    def facts_in_examples(self) -> Mapping[str, str]:
        """What an example of a pack may give beside the facts that its expressions name, each with
        the fact that it stands for."""
        return {}

    @property
    def item(self) -> str:
        """How a diff names the rule."""
        return f"{self.kind} {self.name}"

    def state_facts(self) -> Iterable[Fact]:
        """The facts that the rule depends on and that no expression can name."""
        return ()

    def parts(self) -> Mapping[str, object]:
        """What the rule says, as its file names it, for a diff: every field but its name and
        place."""
        return {
            part.name: getattr(self, part.name)
            for part in fields(self)
            if part.name != "name" and not part.metadata.get("place")
        }

    def canonical(self) -> object:
        """What the rule means, for the fingerprint: one form for one meaning."""
        return {"name": self.name, "kind": self.kind, **self.parts()}

    def described(self) -> dict[str, Any]:
        """The rule in the JSON of `strategy show`."""
        return {"name": self.name, "kind": self.kind, **self.parts()}

    def claimed(
        self, decision: DecisionTerms, actions: Sequence[Action], others: Sequence[Restriction]
    ) -> Iterator[Claim]:
        """What is to be proved of the rule. `others` are all restrictions of the strategy."""
        yield from ()


@dataclass(frozen=True, kw_only=True)
class Restriction(Rule):
    """A rule that forbids the actions `never` while it is in force, on its effective dates;
    `instead`, where lawful, stands for them. As it stands here it is in force while `when` holds;
    an unknown counts as the condition says. While one that `stops_everything` is in force,
    nothing is offered instead of what is forbidden.
    """

    section = "guards"
    condition: ClassVar[Key] = WHEN
    stops_everything: ClassVar[bool] = False
    example_words = ("forbidden", "allowed")
    claims: ClassVar[Mapping[str, str]] = {
        "guard-holds": "no action is emitted that the guard forbids, known or unknown",
        "hold-stops": "while the hold lasts nothing is emitted",
        "guard-used": "some account is one the guard protects",
        "instead-lawful": "no other guard forbids the action offered instead, and it is no harsher",
    }

    when: Condition
    never: frozenset[str]
    instead: str | None = None
    source: str | None = None
    effective_from: date | None = None
    effective_to: date | None = None

    @property
    def lawful_from_sql(self) -> str | None:
        """SQL of the first day on which it is in force no more, where that is known while it is:
        what it forbids comes on that day. None for a rule of which it never is."""
        return None

    @property
    def counts_per(self) -> str:
        """Whose contacts it counts: those of the `account`, or of all accounts of its `party` or of
        its `premise`."""
        return "account"

    @property
    def hours_fact(self) -> str | None:
        """The fact that holds the hours of the day at which its actions are lawful, with the time
        zone they are said in, where it says hours."""
        return None

    @property
    def held_by(self) -> str | None:
        """The kind of event that brings it into force while one lasts, if it is one."""
        return None

    def is_quiet(self, day: date) -> bool:
        """Whether a day, as such, is one on which its actions are not taken."""
        return False

    @property
    def named_facts(self) -> frozenset[str]:
        return self.when.expression.names

    # From an entry

    @classmethod
    def forbidden(cls, entry: Entry) -> Sequence[str]:
        """The actions the entry forbids. Adds a Problem for each that does not exist."""
        known = [action.name for action in entry.scope.actions]
        named = cls.named_actions(entry.values)
        for action, place in named:
            if action not in known:
                hint = did_you_mean(action, known)
                entry.add_problem("RS209", f'There is no action "{action}".', *place, hint=hint)
        return [action for action, _ in named]

    @classmethod
    def check(cls, entry: Entry) -> Sequence[Rule]:
        never = cls.forbidden(entry)
        instead = entry.get(INSTEAD)
        instead = None if instead == NO_ACTION else instead
        _check_instead(entry, instead, never)
        rule = cls.of(entry, never, instead)
        return [] if rule is None else [rule]

    @classmethod
    def of(cls, entry: Entry, never: Iterable[str], instead: str | None) -> Restriction | None:
        """The rule, or None after adding what is wrong with its condition."""
        expression = entry.expression(cls.condition)
        if expression is None:
            return None
        dates = (entry.values.get("effective_from"), entry.values.get("effective_to"))
        return cls(
            name=entry.name,
            line=entry.line,
            when=Condition(expression, cls.unknown_counts(entry)),
            never=frozenset(never),
            instead=instead,
            source=entry.values.get("source"),
            effective_from=dates[0],
            effective_to=dates[1],
            **cls.more(entry),
        )

    @classmethod
    def unknown_counts(cls, entry: Entry) -> bool:
        """Whether an unknown condition counts as true: what is unknown protects."""
        return bool(entry.get(UNKNOWN) != "skip")

    @classmethod
    def more(cls, entry: Entry) -> dict[str, Any]:
        """The fields that a kind adds to those of every restriction."""
        return {}

    # To an account: SQL and the term of a proof, written independently of each other

    def in_force_sql(self) -> str:
        """Whether it is in force, as true or false, over the columns of facts; on its dates."""
        return condition_sql(self.when)

    def doubt_sql(self) -> str | None:
        """Whether it is in force only because something is unknown; None where it cannot be."""
        if not (self.when.expression.type.nullable and self.when.unknown):
            return None
        return f"({fact_sql(self.when.expression)}) is null"

    def in_force_term(self, account: Account) -> Any:
        """Whether it is in force; on its dates."""
        return condition_holds(self.when, account)

    def applies(self, account: Account) -> Any:
        """Whether it forbids what it forbids, on the account's as-of date."""
        dates = within(self.effective_from, self.effective_to, account)
        return both(dates, self.in_force_term(account))

    # Proofs, descriptions and differences

    def claimed(
        self, decision: DecisionTerms, actions: Sequence[Action], others: Sequence[Restriction]
    ) -> Iterator[Claim]:
        yield self._effect(decision, actions)
        fault = "No possible account is affected by it."
        question = Question(fault, (self.in_force_term(decision.account),))
        yield Claim("guard-used", (question,), some=True)
        if self.instead is not None:
            yield Claim("instead-lawful", tuple(self._instead(decision, actions, others)))

    def _effect(self, decision: DecisionTerms, actions: Sequence[Action]) -> Claim:
        """That nothing it forbids is emitted."""
        in_force = decision.guards[self.name]
        if self.stops_everything:
            fault = f"Something is emitted while the {self.called} lasts."
            return Claim("hold-stops", (Question(fault, (in_force, decision.rank != 0)),))
        ranks = [action.rank for action in actions if action.name in self.never]
        emitted = either(*(decision.rank == rank for rank in ranks))
        fault = "An action is emitted that it forbids."
        return Claim("guard-holds", (Question(fault, (in_force, emitted)),))

    def _instead(
        self, decision: DecisionTerms, actions: Sequence[Action], others: Sequence[Restriction]
    ) -> Iterator[Question]:
        """What would make the action it offers unlawful. What stops everything is left aside, and
        what is over by itself on a day that is known."""
        (offered,) = (action for action in actions if action.name == self.instead)
        forbidden = [action for action in actions if action.name in self.never]
        in_force = decision.guards[self.name]
        if milder := [action for action in forbidden if action.rank < offered.rank]:
            due_milder = either(*(decision.due == action.rank for action in milder))
            harsher = both(in_force, due_milder, decision.rank == offered.rank)
            yield Question(f"{offered.name} is harsher than the step's own action.", (harsher,))
        due = either(*(decision.due == action.rank for action in forbidden))
        refusing = {
            other.name: decision.guards[other.name]
            for other in others
            if not other.stops_everything
            and other.lawful_from_sql is None
            and other.name != self.name
            and offered.name in other.never
        }
        fault = f"Another guard forbids {offered.name} here: {', '.join(refusing)}."
        yield Question(fault, (both(in_force, due, either(*refusing.values())),))

    @property
    def condition_text(self) -> str:
        """When it is in force, as a person reads it."""
        return self.when.expression.explained

    @property
    def forbidden_text(self) -> str:
        """What it forbids, as a person reads it."""
        return ", ".join(sorted(self.never))

    def parts(self) -> Mapping[str, object]:
        return {"kind": self.kind, **super().parts()}

    def canonical(self) -> dict[str, object]:
        values = {part.name: getattr(self, part.name) for part in fields(self)}
        dates = [values.pop("effective_from"), values.pop("effective_to")]
        del values["line"]
        return {**values, "kind": self.kind, "effective": dates}

    def when_in_force(self) -> dict[str, object]:
        """What says for which accounts it is in force, and on which days."""
        effect = ("name", "kind", "never", "instead", "source")
        return {name: value for name, value in self.canonical().items() if name not in effect}

    def described(self) -> dict[str, Any]:
        values = {part.name: getattr(self, part.name) for part in fields(self)}
        del values["line"]
        text = values.pop("when").expression.text
        return {"name": values.pop("name"), "kind": self.kind, self.condition.name: text, **values}


def _check_instead(entry: Entry, instead: str | None, never: Sequence[str]) -> None:
    """What is done instead exists, is not itself forbidden, and is no harsher."""
    if instead is None:
        return
    ranks = {action.name: action.rank for action in entry.scope.actions}
    if instead not in ranks:
        hint = did_you_mean(instead, ranks)
        entry.add_problem("RS209", f'There is no action "{instead}".', "instead", hint=hint)
        return
    if instead in never:
        message = f'"{entry.name}" forbids "{instead}", which it gives as `instead`.'
        hint = "Choose an action it does not forbid."
        entry.add_problem("RS220", message, "instead", hint=hint)
        return
    milder = [action for action in never if action in ranks and ranks[action] < ranks[instead]]
    if milder:
        message = f'"{entry.name}" would turn "{milder[0]}" into "{instead}", which is harsher.'
        hint = "Choose a milder action; `actions` in strategy.yaml runs from mild to harsh."
        entry.add_problem("RS220", message, "instead", hint=hint)


_KINDS: dict[str, type[Rule]] = {}


def register(kind: type[Rule]) -> type[Rule]:
    """Make a kind of rule known under its name, in the place of another of that name.

    Raises ValueError where it gives a key another meaning than the kinds registered before.
    """
    others = [known for known in _KINDS.values() if known.kind != kind.kind]
    keys = {key.name: key for known in others for key in (*known.needs, *known.takes)}
    for key in (*kind.needs, *kind.takes):
        if keys.get(key.name, key) != key or key.name in _KINDS:
            raise ValueError(f"{kind.kind}: the key {key.name} has another meaning already")
    if kind.kind in keys:
        raise ValueError(f"{kind.kind} is a key of other rules already")
    _KINDS[kind.kind] = kind
    return kind


def unregister(kind: type[Rule]) -> None:
    """Take a kind back out, as if it had not been registered."""
    del _KINDS[kind.kind]


def registered() -> Mapping[str, type[Rule]]:
    """The kinds of rules there are, by the key that names an entry of each."""
    return _KINDS
