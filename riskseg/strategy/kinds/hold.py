"""`hold`: every action is forbidden while a condition holds, or while an event lasts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import did_you_mean
from riskseg.ledger.contract import CONTRACT
from riskseg.rules.elements import Condition
from riskseg.rules.holding import lasts
from riskseg.rules.keys import ALWAYS, UNKNOWN, WHEN, Key
from riskseg.rules.rule import Entry, Restriction

EVENT = Key("event", str, "hold: the kind of event that holds the account while it lasts")
CLOCK = Key(
    "clock",
    Literal["stops", "runs"],
    "hold: whether the days held count on the path; `runs` where it is left out",
)


@dataclass(frozen=True, kw_only=True)
class Hold(Restriction):
    """Stops everything while `when` holds or is unknown; or while an `event` lasts, of which the
    days count on the path, unless the `clock` stops."""

    kind = "hold"
    words = "its name: forbids all"
    called = "hold"
    takes = (WHEN, EVENT, CLOCK, UNKNOWN, *ALWAYS)
    in_packs = True
    stops_everything = True

    event: str | None = None
    clock: str = "runs"

    @classmethod
    def has_its_keys(cls, entry: Entry, besides: Iterable[str] = ()) -> bool:
        sound = super().has_its_keys(entry, besides)
        event, condition = entry.get(EVENT), entry.get(WHEN)
        if event is None:
            if condition is None:
                message = f'The hold "{entry.name}" has no `when`.'
                hint = "Write the condition, or the kind of event that holds: `event: complaint`."
                entry.add_problem("RS005", message, WHEN.name, hint=hint)
                return False
            if entry.get(CLOCK) is not None:
                message = "`clock` goes with `event`: of a condition only today is known."
                hint = "An open promise, plan or dispute is one: `event: promise`."
                entry.add_problem("RS003", message, CLOCK.name, hint=hint)
                return False
            return sound
        if condition is not None or entry.get(UNKNOWN) is not None:
            message = f'The hold "{entry.name}" has an `event`, and a condition besides.'
            place = WHEN if condition is not None else UNKNOWN
            entry.add_problem("RS003", message, place.name, hint="Make two holds of them.")
            return False
        if event not in (kinds := _event_kinds()):
            hint = did_you_mean(event, kinds)
            entry.add_problem(
                "RS201", f'There is no kind of event "{event}".', EVENT.name, hint=hint
            )
            return False
        dates = (entry.values.get("effective_from"), entry.values.get("effective_to"))
        if entry.get(CLOCK) == "stops" and any(dates):
            message = "A hold that stops the clock has no effective dates: days held always count."
            entry.add_problem("RS003", message, CLOCK.name)
            return False
        return sound

    @classmethod
    def of(cls, entry: Entry, never: Iterable[str], instead: str | None) -> Restriction | None:
        event = entry.get(EVENT)
        if event is None:
            return super().of(entry, never, instead)
        return cls(
            name=entry.name,
            line=entry.line,
            when=Condition(lasts(event)),
            never=frozenset(never),
            instead=instead,
            source=entry.values.get("source"),
            effective_from=entry.values.get("effective_from"),
            effective_to=entry.values.get("effective_to"),
            event=event,
            clock=entry.get(CLOCK) or "runs",
        )

    @classmethod
    def forbidden(cls, entry: Entry) -> Sequence[str]:
        return sorted(action.name for action in entry.scope.actions)

    @property
    def forbidden_text(self) -> str:
        return "everything"

    @property
    def held_by(self) -> str | None:
        return self.event

    @property
    def condition_text(self) -> str:
        return super().condition_text if self.event is None else f"an event `{self.event}` lasts"

    @property
    def facts_in_examples(self) -> Mapping[str, str]:
        return {} if self.event is None else {"lasts": self.when.expression.text}

    def state_facts(self) -> Iterable[Fact]:
        if self.event is not None:
            words = f"an event `{self.event}` lasts"
            yield Fact(self.when.expression.text, Kind.BOOLEAN, words=words)

    def parts(self) -> Mapping[str, object]:
        """A hold forbids whatever actions there are: a new action does not change it."""
        lacking = {"never"} | ({"when"} if self.event else {"event", "clock"})
        return {name: part for name, part in super().parts().items() if name not in lacking}

    def canonical(self) -> dict[str, object]:
        values = super().canonical()
        lacking = () if self.event else ("event", "clock")
        return {name: value for name, value in values.items() if name not in lacking}

    def described(self) -> dict[str, Any]:
        values = super().described()
        lacking = {"when"} if self.event else {"event", "clock"}
        return {name: value for name, value in values.items() if name not in lacking}


def _event_kinds() -> Sequence[str]:
    kind = CONTRACT["events"].column("kind")
    assert kind is not None
    return kind.words
