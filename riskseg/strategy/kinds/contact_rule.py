"""`contact_rule`: how often actions may reach an account, or all accounts of a party."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from riskseg.domain.facts import Fact, Kind
from riskseg.rules.contacting import ContactLimit
from riskseg.rules.elements import Condition
from riskseg.rules.keys import ALWAYS, INSTEAD, DayCount, Key
from riskseg.rules.rule import Entry, Restriction
from riskseg.strategy.kinds.requirement import OF

_Count = Annotated[int, Field(ge=1, le=1000)]
AT_MOST = Key("at_most", _Count, "contact_rule: so many contacts at most")
IN = Key("in", DayCount, "contact_rule: in so many days, the as-of date included: `7 days`")
AFTER = Key(
    "after_conversation",
    DayCount,
    "contact_rule: days without a contact from a conversation on, whose day is the first",
)
UNANSWERED = Key("unanswered", _Count, "contact_rule: after so many in a row without an answer")
EVERY = Key("every", DayCount, "contact_rule: one in so many days; goes with `unanswered`")
PER = Key("per", Literal["account", "party"], "contact_rule: `account`, or `party` for all of its")
_PAIRS = ((AT_MOST, IN), (UNANSWERED, EVERY))


@dataclass(frozen=True, kw_only=True)
class ContactRule(Restriction):
    """Forbids its actions until the first day on which the next contact is within its `limit`."""

    kind = "contact_rule"
    words = "its name: how often actions may reach somebody"
    called = "contact rule"
    needs = (OF,)
    takes = (AT_MOST, IN, AFTER, UNANSWERED, EVERY, PER, INSTEAD, *ALWAYS)
    in_packs = True

    limit: ContactLimit

    @classmethod
    def has_its_keys(cls, entry: Entry, besides: Iterable[str] = ()) -> bool:
        sound = super().has_its_keys(entry, besides)
        for one, other in _PAIRS:
            if (entry.get(one) is None) != (entry.get(other) is None):
                message = f"`{one.name}` and `{other.name}` go together."
                entry.tell("RS003", message, one.name if entry.get(one) is not None else other.name)
                sound = False
        if all(entry.get(key) is None for key in (AT_MOST, AFTER, UNANSWERED)):
            message = f'The contact rule "{entry.name}" limits nothing.'
            hint = "Write `at_most: 7` and `in: 7 days`, or `after_conversation: 7 days`."
            entry.tell("RS005", message, hint=hint)
            sound = False
        return sound

    @classmethod
    def named_actions(
        cls, values: Mapping[str, Any]
    ) -> Sequence[tuple[str, tuple[str | int, ...]]]:
        of = values.get(OF.name) or ()
        if isinstance(of, str):
            return [(of, (OF.name,))]
        return [(action, (OF.name, n)) for n, action in enumerate(of)]

    @classmethod
    def of(cls, entry: Entry, never: Iterable[str], instead: str | None) -> Restriction | None:
        actions = tuple(sorted(never))
        channels = {a.channel for a in entry.scope.actions if a.name in actions}
        limit = ContactLimit(
            actions,
            tuple(sorted(channels)),
            per=entry.get(PER) or "account",
            at_most=entry.get(AT_MOST),
            within=entry.get(IN),
            quiet=entry.get(AFTER),
            unanswered=entry.get(UNANSWERED),
            every=entry.get(EVERY),
        )
        return cls(
            name=entry.name,
            line=entry.line,
            when=Condition(limit.exceeded),
            never=frozenset(actions),
            instead=instead,
            source=entry.values.get("source"),
            effective_from=entry.values.get("effective_from"),
            effective_to=entry.values.get("effective_to"),
            limit=limit,
        )

    @property
    def lawful_from(self) -> str:
        return self.limit.fact

    @property
    def condition_text(self) -> str:
        return str(self.limit)

    def state_facts(self) -> Iterable[Fact]:
        words = f"{self.limit}: lawful from {{value}} on"
        yield Fact(self.limit.fact, Kind.DATE, nullable=True, words=words)

    def parts(self) -> Mapping[str, object]:
        parts = {name: part for name, part in super().parts().items() if name != "when"}
        return {**parts, "limit": str(self.limit)}

    def canonical(self) -> dict[str, object]:
        values = super().canonical()
        del values["when"]
        return {**values, "limit": str(self.limit)}

    def described(self) -> dict[str, Any]:
        values = super().described()
        del values[self.condition.name]
        return {**values, "limit": str(self.limit)}
