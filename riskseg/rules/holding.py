"""Facts of events that hold an account while they last: whether one does, and for how many days
one has. No expression can name them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from riskseg.domain.facts import Kind
from riskseg.expressions import Expression, Type
from riskseg.expressions.tree import Call, Literal, Name
from riskseg.rules.placing import entered_path

_LASTS, _HELD = "lasting ", "days held since "


@dataclass(frozen=True, slots=True)
class HeldDays:
    """The days from the one after a date, up to the as-of date, on which an event of one of the
    `kinds` lasted. The date is `offset` days after that of the fact `since`."""

    since: str
    offset: int
    kinds: tuple[str, ...]

    @property
    def fact(self) -> str:
        """The name of the fact that counts them."""
        return f"{_HELD}{self.since} {self.offset} by {','.join(self.kinds)}"


def held_days(starts: Expression, kinds: Iterable[str]) -> HeldDays | None:
    """What counts the days held since the date that an expression gives: a date, or a number of
    days from one. None for any other expression."""
    match starts.tree:
        case Name(since):
            return HeldDays(since, 0, tuple(sorted(kinds)))
        case Call("coalesce", (Name(since), Name("as_of"))) if entered_path(since):
            return HeldDays(since, 0, tuple(sorted(kinds)))
        case Call("add_days", (Name(since), Literal(int() as offset))):
            return HeldDays(since, offset, tuple(sorted(kinds)))
    return None


def counted_days(fact: str) -> HeldDays | None:
    """What a fact counts, where it counts days held."""
    if not fact.startswith(_HELD):
        return None
    since, offset, _, kinds = fact.removeprefix(_HELD).rsplit(" ", 3)
    return HeldDays(since, int(offset), tuple(kinds.split(",")))


def lasts(kind: str) -> Expression:
    """The condition that an event of a kind lasts on the as-of date."""
    name = _LASTS + kind
    boolean = Type(Kind.BOOLEAN, nullable=False)
    return Expression(name, Name(name, Kind.BOOLEAN), boolean, frozenset({name}))


def nothing_held(facts: Iterable[str]) -> dict[str, bool | int]:
    """What facts of holds say of an account that nothing ever held."""
    no_days = {fact: 0 for fact in facts if counted_days(fact)}
    return {**no_days, **{fact: False for fact in facts if lasting(fact)}}


def lasting(fact: str) -> str | None:
    """The kind of event of which a fact says whether one lasts."""
    return fact.removeprefix(_LASTS) if fact.startswith(_LASTS) else None
