"""`prove`: what the strategy's owner wants to hold for every account. It changes no decision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from riskseg.expressions.smt import either
from riskseg.rules.elements import Action, Condition
from riskseg.rules.keys import SOURCE, UNKNOWN, Key, Name, Text
from riskseg.rules.rule import Claim, DecisionTerms, Entry, Question, Restriction, Rule

PROVE = Key(
    "prove", Text, "a condition over facts and what is decided that must hold for every account"
)
NAME = Key("name", Name, "prove: its name")


@dataclass(frozen=True, kw_only=True)
class Property(Rule):
    """`that`, over facts and what is decided, holds for every account. `that.unknown` says
    whether an unknown counts as holding."""

    kind = PROVE.name
    named = PROVE.type
    words = PROVE.words
    called = "property"
    section = "properties"
    takes = (NAME, UNKNOWN, SOURCE)
    claims: ClassVar[Mapping[str, str]] = {"declared": "the property holds for every account"}
    late = True  # its names are those that no restriction has

    that: Condition
    source: str | None = None

    @classmethod
    def name_of(cls, values: Mapping[str, Any], number: int) -> str:
        return values.get(NAME.name) or f"property_{number}"

    @classmethod
    def check(cls, entry: Entry) -> Sequence[Rule]:
        """One that can be unknown is no Problem: an unknown counts as broken, unless the entry
        says `unknown: match`."""
        that = entry.expression(PROVE, decided=entry.scope.decided)
        if that is None:
            return []
        condition = Condition(that, entry.get(UNKNOWN) == "match")
        source = entry.get(SOURCE)
        return [cls(name=entry.name, line=entry.line, that=condition, source=source)]

    @property
    def item(self) -> str:
        return f"property {self.name}"

    def parts(self) -> Mapping[str, object]:
        return {PROVE.name: self.that, SOURCE.name: self.source}

    def canonical(self) -> object:
        return [self.name, self.that, self.source]

    def described(self) -> dict[str, Any]:
        counts = "match" if self.that.unknown else "skip"
        return {
            "name": self.name,
            "that": self.that.expression.text,
            "unknown": counts if self.that.expression.type.nullable else None,
            "source": self.source,
        }

    def claimed(
        self, decision: DecisionTerms, actions: Sequence[Action], others: Sequence[Restriction]
    ) -> Iterator[Claim]:
        term = decision.term(self.that.expression)
        broken = term.false if self.that.unknown else either(term.false, term.unknown)
        fault = f"It does not hold: {self.that.expression.explained}"
        yield Claim("declared", (Question(fault, (broken,)),))
