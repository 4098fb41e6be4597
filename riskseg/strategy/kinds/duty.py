"""`duty`: an action that must be taken within so many days, with a deadline and an alarm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from riskseg.domain.facts import Kind
from riskseg.domain.problems import did_you_mean
from riskseg.domain.words import with_article
from riskseg.expressions import Expression
from riskseg.expressions.smt import both, either
from riskseg.rules.demand import Demand
from riskseg.rules.elements import Action, Condition
from riskseg.rules.keys import ALWAYS, UNKNOWN, WHEN, DayCountOrConstant, Key
from riskseg.rules.rule import Claim, DecisionTerms, Entry, Question, Restriction, Rule

SINCE = Key("since", str, "duty: the date from which its days are counted")
ACTION = Key("action", str | list[str], "duty: the action that is due, or a list of those that do")
WITHIN = Key(
    "within",
    DayCountOrConstant,
    "duty: in so many days after that date: `14 days`, or a constant",
)
TEMPLATE = Key("template", str, "duty: the template of its action")


class Duty(Demand):
    """Asks for an action while `when` holds, until one of its actions was issued."""

    kind = "duty"
    words = "its name: an action that must be taken in time"
    called = "duty"
    section = "duties"
    needs = (WHEN, SINCE, ACTION, WITHIN)
    takes = (TEMPLATE, UNKNOWN, *ALWAYS)
    in_packs = True
    claims: ClassVar[Mapping[str, str]] = {
        "duty-used": "some account is one that it is owed to",
        "duty-possible": "no rule that is without end forbids all of its actions",
    }

    @classmethod
    def check(cls, entry: Entry) -> Sequence[Rule]:
        named = cls.named_actions(entry.values)
        known = [action.name for action in entry.scope.actions]
        strange = [(action, place) for action, place in named if action not in known]
        for action, place in strange:
            hint = did_you_mean(action, known)
            entry.add_problem("RS209", f'There is no action "{action}".', *place, hint=hint)
        duty = cls.of(entry, [action for action, _ in named], None)
        return [] if duty is None or strange else [duty]

    @classmethod
    def named_actions(
        cls, values: Mapping[str, Any]
    ) -> Sequence[tuple[str, tuple[str | int, ...]]]:
        written = values.get(ACTION.name) or ()
        if isinstance(written, str):
            return [(written, (ACTION.name,))]
        return [(action, (ACTION.name, number)) for number, action in enumerate(written)]

    @classmethod
    def of(cls, entry: Entry, actions: Iterable[str], instead: str | None) -> Duty | None:
        when, since, within = _when(entry), _since(entry), entry.number(WITHIN)
        if when is None or since is None or within is None:
            return None
        return cls(
            name=entry.name,
            line=entry.line,
            when=when,
            since=since,
            actions=tuple(dict.fromkeys(actions)),
            days_within=within,
            template=entry.get(TEMPLATE),
            source=entry.values.get("source"),
            effective_from=entry.values.get("effective_from"),
            effective_to=entry.values.get("effective_to"),
        )

    def claimed(
        self, decision: DecisionTerms, actions: Sequence[Action], others: Sequence[Restriction]
    ) -> Iterator[Claim]:
        is_open = self.open_term(decision.account)
        yield Claim(
            "duty-used",
            (Question("It is owed to no account there can be.", (is_open,)),),
            some=True,
        )
        lasting = [
            rule
            for rule in others
            if not rule.stops_everything and rule.lawful_from_sql is None and not rule.effective_to
        ]
        forbidden = [
            either(*(decision.guards[rule.name] for rule in lasting if action in rule.never))
            for action in self.actions
        ]
        fault = f"Rules forbid all of its actions: {', '.join(self.actions)}."
        yield Claim("duty-possible", (Question(fault, (both(is_open, *forbidden),)),))


def _when(entry: Entry) -> Condition | None:
    """The condition, with what an unknown counts as: it must say so where it can be unknown."""
    unknown = entry.get(UNKNOWN)
    place = (*entry.at, WHEN.name)
    text = entry.get(WHEN)
    when = entry.scope.expression(text, entry.file, *place, unknown=unknown is not None)
    return Condition(when, unknown == "match") if when else None


def _since(entry: Entry) -> Expression | None:
    """The date that its days are counted from: one that stays where it is from day to day."""
    place = (*entry.at, SINCE.name)
    since = entry.scope.expression(entry.get(SINCE), entry.file, *place, value=True)
    if since is None:
        return None
    hint = "Use the date on which it began, such as episode_started_on."
    if since.type.kind is not Kind.DATE:
        message = f"The duty counts from {since.text}, which is {with_article(since.type.kind)}."
        entry.add_problem("RS304", message, SINCE.name, hint=hint)
        return None
    if since.names & {"as_of"} or not since.names:
        message = f"The duty counts from {since.text}, which is another day every day."
        message = message if since.names else f"The duty counts from {since.text} for everybody."
        entry.add_problem("RS229", message, SINCE.name, hint=hint)
        return None
    return since
