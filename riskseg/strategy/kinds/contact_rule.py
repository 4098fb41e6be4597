"""`contact_rule`: how often actions may reach an account, or all accounts of a party or premise, at
which hours of the day, and on which days they may not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field

from riskseg.domain.documents import Shape
from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import did_you_mean
from riskseg.domain.relations import fact_column
from riskseg.domain.yaml_text import inline
from riskseg.expressions import Expression, Node, Type, show
from riskseg.expressions.tree import Call, Compare, Or
from riskseg.expressions.tree import Literal as Value
from riskseg.expressions.tree import Name as FactName
from riskseg.rules.calendar import WEEKDAYS
from riskseg.rules.contact_hours import DAY, ContactHours, Hours, minute_of
from riskseg.rules.contacting import PREMISE, ContactLimit
from riskseg.rules.elements import Condition
from riskseg.rules.keys import ALWAYS, INSTEAD, MOST_TIMES, DayCountOrConstant, Key, TimesOrConstant
from riskseg.rules.named_numbers import shown_number
from riskseg.rules.quiet import QuietPeriod, quiet_days_left, quiet_fact
from riskseg.rules.rule import Entry, Restriction
from riskseg.strategy.kinds.requirement import OF
from riskseg.treatment.contact_hours import known_zones, zones_by_country

_Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
_Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_OfYear = Annotated[str, Field(pattern=r"^\d\d-\d\d$")]


class AuthoredHours(Shape):
    """From one time of the day until another, on the weekdays `days`, or on all."""

    from_: _Clock = Field(
        validation_alias=AliasChoices("from", "from_"), description="a time of the day: `08:00`"
    )
    to: _Clock = Field(description="a time of the day: `21:00`")
    days: list[_Weekday] | None = Field(None, description="the weekdays; all, if left out")


class AuthoredQuiet(Shape):
    """Two dates, or two days of every year, both included."""

    from_: date | _OfYear = Field(
        validation_alias=AliasChoices("from", "from_"),
        description="the first day: `2026-12-24`, or `12-24` of every year",
    )
    to: date | _OfYear = Field(description="the last day, in the same form")


# Each number may be a constant, too.
AT_MOST = Key("at_most", TimesOrConstant, "contact_rule: so many contacts at most")
IN = Key(
    "in", DayCountOrConstant, "contact_rule: in so many days, the as-of date included: `7 days`"
)
AFTER = Key(
    "after_conversation",
    DayCountOrConstant,
    "contact_rule: days without a contact from a conversation on, whose day is the first",
)
UNANSWERED = Key(
    "unanswered", TimesOrConstant, "contact_rule: after so many in a row without an answer"
)
EVERY = Key(
    "every", DayCountOrConstant, "contact_rule: one in so many days; goes with `unanswered`"
)
PER = Key(
    "per",
    Literal["account", "party", "premise"],
    "contact_rule: `account`, or `party` or `premise` for all of its",
)
HOURS = Key(
    "hours",
    AuthoredHours | list[AuthoredHours],
    "contact_rule: the hours of the day: `{from: 08:00, to: 21:00}`, or a list of them, each with "
    "`days`",
)
ZONE = Key("zone", str, "contact_rule: the attribute that holds the time zone of an account")
ZONES = Key(
    "zones",
    Annotated[list[str], Field(min_length=1)],
    "contact_rule: time zones, or countries with all of theirs, that an account may be in whose "
    "zone is unknown; goes with `hours`",
)
QUIET = Key(
    "quiet",
    AuthoredQuiet | list[AuthoredQuiet],
    "contact_rule: days on which the actions are not taken: `{from: 12-24, to: 12-26}` of every "
    "year, or two dates; or a list of them",
)
_PAIRS = ((AT_MOST, IN), (UNANSWERED, EVERY), (HOURS, ZONES))
_COUNTED = (AT_MOST, AFTER, UNANSWERED)


@dataclass(frozen=True, kw_only=True)
class ContactRule(Restriction):
    """Forbids its actions until the first day on which the next contact is within its `limit`, on
    the days of its `quiet` periods, and where a day has none of its `hours`."""

    kind = "contact_rule"
    words = "its name: how often, when and on which days actions may reach somebody"
    called = "contact rule"
    needs = (OF,)
    takes = (
        AT_MOST,
        IN,
        AFTER,
        UNANSWERED,
        EVERY,
        PER,
        HOURS,
        ZONE,
        ZONES,
        QUIET,
        INSTEAD,
        *ALWAYS,
    )
    in_packs = True

    limit: ContactLimit | None
    hours: ContactHours | None = None
    quiet: tuple[QuietPeriod, ...] = ()

    @classmethod
    def has_its_keys(cls, entry: Entry, besides: Iterable[str] = ()) -> bool:
        sound = super().has_its_keys(entry, besides)
        for one, other in _PAIRS:
            if (entry.get(one) is None) != (entry.get(other) is None):
                message = f"`{one.name}` and `{other.name}` go together."
                entry.add_problem(
                    "RS003", message, one.name if entry.get(one) is not None else other.name
                )
                sound = False
        counted = any(entry.get(key) is not None for key in _COUNTED)
        if not counted and entry.get(HOURS) is None and not entry.get(QUIET):
            message = f'The contact rule "{entry.name}" limits nothing.'
            hint = "Write `at_most: 7` and `in: 7 days`, `after_conversation: 7 days`, `hours` or "
            entry.add_problem("RS005", message, hint=f"{hint}`quiet`.")
            sound = False
        for key, lacks, what in (
            (PER, not counted, "how contacts are counted"),
            (ZONE, entry.get(HOURS) is None, "`hours`"),
        ):
            if entry.get(key) is not None and lacks:
                message = f"`{key.name}` is about {what}, and there is none."
                entry.add_problem("RS003", message, key.name, hint="Remove it.")
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
        has_hours = entry.get(HOURS) is not None
        hours, quiet = _hours(entry) if has_hours else None, _quiet(entry)
        if quiet is None or (has_hours and hours is None):
            return None
        actions = tuple(sorted(never))
        limit = _limit(entry, actions)
        return cls(
            name=entry.name,
            line=entry.line,
            when=Condition(_in_force(limit, hours, quiet)),
            never=frozenset(actions),
            instead=instead,
            source=entry.values.get("source"),
            effective_from=entry.values.get("effective_from"),
            effective_to=entry.values.get("effective_to"),
            limit=limit,
            hours=hours,
            quiet=quiet,
        )

    @property
    def lawful_from_sql(self) -> str | None:
        days = []
        if self.limit is not None:
            days.append(fact_column(self.limit.fact))
        counts = [quiet_fact(self.quiet)] if self.quiet else []
        counts += [self.hours.wait] if self.hours else []
        days += [f"as_of + cast({fact_column(count)} as integer)" for count in counts]
        latest = f"greatest({', '.join([*days, 'null'])})"
        if self.hours is None:
            return latest
        return f"case when {fact_column(self.hours.wait)} is not null then {latest} end"

    @property
    def counts_per(self) -> str:
        return "account" if self.limit is None else self.limit.per

    @property
    def hours_fact(self) -> str | None:
        return None if self.hours is None else self.hours.window

    def is_quiet(self, day: date) -> bool:
        return any(period.includes(day) for period in self.quiet)

    @property
    def facts_in_examples(self) -> Mapping[str, str]:
        named = {} if self.limit is None else {"lawful_from": self.limit.fact}
        if self.hours is not None:
            named["days_until_hours"] = self.hours.wait
            if self.hours.zone is not None:
                named[self.hours.zone] = self.hours.zone
        return named

    @property
    def condition_text(self) -> str:
        return "; ".join(self._words_of(shown_number).values())

    def _words_of(self, number: Callable[[int | None], str] = str) -> dict[str, str]:
        """What it says, by the key of each of its parts, with each number of its limit as `number`
        shows it."""
        words = {} if self.limit is None else {"limit": self.limit.text(number)}
        if self.hours is not None:
            words[HOURS.name] = f"only from {self.hours}"
        if self.quiet:
            words[QUIET.name] = f"quiet {', '.join(map(str, self.quiet))}"
        return words

    def state_facts(self) -> Iterable[Fact]:
        if self.limit is not None:
            words = f"{self.limit}: lawful from {{value}} on"
            yield Fact(self.limit.fact, Kind.DATE, nullable=True, words=words)
            if self.limit.per == "premise":
                yield Fact(PREMISE, Kind.TEXT, nullable=True, words="the premise {value}")
        if self.quiet:
            name = quiet_fact(self.quiet)
            yield Fact(name, Kind.INTEGER, lower=Decimal(0), words=f"{name}: {{value}}")
        if self.hours is not None:
            words = "days until an hour is lawful: {value}"
            lower = Decimal(0)
            yield Fact(self.hours.wait, Kind.INTEGER, nullable=True, lower=lower, words=words)
            yield Fact(self.hours.window, Kind.TEXT, nullable=True, words="lawful hours: {value}")

    def parts(self) -> Mapping[str, object]:
        lacking = ("when", "limit", HOURS.name, QUIET.name)
        parts = {name: part for name, part in super().parts().items() if name not in lacking}
        # The limit itself knows which constants it is written with.
        return {**parts, **self._words_of(), **({"limit": self.limit} if self.limit else {})}

    def canonical(self) -> dict[str, object]:
        values = super().canonical()
        for name in ("when", "limit", HOURS.name, QUIET.name):
            del values[name]
        return {**values, **self._words_of()}

    def described(self) -> dict[str, Any]:
        values = super().described()
        for name in (self.condition.name, "limit", HOURS.name, QUIET.name):
            del values[name]
        return {**values, **self._words_of(shown_number)}


def _limit(entry: Entry, actions: Sequence[str]) -> ContactLimit | None:
    """How often the actions may be taken, where the rule says so."""
    if all(entry.get(key) is None for key in _COUNTED):
        return None
    channels = {a.channel for a in entry.scope.actions if a.name in actions}
    return ContactLimit(
        tuple(actions),
        tuple(sorted(channels)),
        per=entry.get(PER) or "account",
        at_most=entry.number(AT_MOST, MOST_TIMES),
        within=entry.number(IN),
        quiet=entry.number(AFTER),
        unanswered=entry.number(UNANSWERED, MOST_TIMES),
        every=entry.number(EVERY),
    )


def _hours(entry: Entry) -> ContactHours | None:
    """The hours of a rule that has some; None after adding Problems."""
    written = entry.get(HOURS)
    sound = True
    hours = []
    for one in written if isinstance(written, list) else [written]:
        first, last = minute_of(one.from_), minute_of(one.to)
        if first >= last or last > DAY:
            message = f"There are no hours from {one.from_} to {one.to}."
            entry.add_problem(
                "RS227", message, HOURS.name, hint="Hours of the night are two entries."
            )
            sound = False
        hours.append(Hours(first, last, tuple(d for d in WEEKDAYS if d in (one.days or WEEKDAYS))))
    countries = zones_by_country()
    known = {*countries, *known_zones()}
    for n, zone in enumerate(entry.get(ZONES)):
        if zone not in known:
            message = f'"{zone}" is neither a time zone nor a country.'
            hint = did_you_mean(zone, known) or "Write one as US, or as America/New_York."
            entry.add_problem("RS227", message, ZONES.name, n, hint=hint)
            sound = False
    zone = None
    if sound and entry.get(ZONE) is not None:
        zone = _attribute(entry, entry.get(ZONE))
        sound = zone is not None
    return ContactHours(tuple(hours), zone, tuple(entry.get(ZONES))) if sound else None


def _attribute(entry: Entry, written: str) -> str | None:
    """The attribute of the time zone, as riskseg writes it; None where accounts have none of that
    name, or it holds no texts."""
    place = (*entry.at, ZONE.name)
    quoted = '"' + written.replace('"', '""') + '"'
    expression = entry.scope.expression(f"{quoted} is not null", entry.file, *place)
    if expression is None:
        return None
    (name,) = expression.names
    fact = entry.scope.facts[name]
    if not fact.kind.is_textual:
        message = f'"{written}" is of the type {fact.kind}; time zones are texts.'
        entry.add_problem("RS304", message, ZONE.name)
        return None
    strange = [text for text in fact.seen if text not in known_zones()]
    if strange:
        message = (
            f"{written} is {inline(strange[0])} of some accounts, which is not a time zone: it "
        )
        entry.scope.note(f"{message}counts as unknown.", entry.file, *place)
    return name


def _quiet(entry: Entry) -> tuple[QuietPeriod, ...] | None:
    """The quiet periods; None after adding Problems."""
    written = entry.get(QUIET) or []
    periods = []
    faults = []
    for one in written if isinstance(written, list) else [written]:
        if isinstance(one.from_, date) and isinstance(one.to, date):
            if one.from_ > one.to:
                faults.append((f"The quiet period ends on {one.to}, before it begins.", ""))
        elif isinstance(one.from_, date) or isinstance(one.to, date):
            message = "A quiet period is between two dates, or between two days of every year."
            faults.append((message, "Write both as 2026-12-24, or both as 12-24."))
        else:
            strange = [day for day in (one.from_, one.to) if not _is_day_of_year(day)]
            faults += [
                (f"There is no day {day} in a year.", "The month is first.") for day in strange
            ]
        periods.append(QuietPeriod(str(one.from_), str(one.to)))
    if not faults and quiet_days_left(periods, _LEAP_YEAR) >= 366:
        faults.append(("No day of a year is left.", "Forbid the actions with a guard."))
    for message, hint in faults:
        entry.add_problem("RS227", message, QUIET.name, hint=hint)
    return None if faults else tuple(periods)


# The first day of a year that has all days there are.
_LEAP_YEAR = date(2028, 1, 1)


def _is_day_of_year(text: str) -> bool:
    month, day = map(int, text.split("-"))
    try:
        date(_LEAP_YEAR.year, month, day)
    except ValueError:
        return False
    return True


def _in_force(
    limit: ContactLimit | None, hours: ContactHours | None, quiet: Sequence[QuietPeriod]
) -> Expression:
    """The condition that a limit is exceeded, the day is quiet, or has no lawful hour."""
    parts: list[Node] = [] if limit is None else [limit.exceeded.tree]
    names = set() if limit is None else {*limit.exceeded.names}
    if quiet:
        parts.append(_positive(FactName(quiet_fact(quiet), Kind.INTEGER)))
        names.add(quiet_fact(quiet))
    if hours is not None:
        wait: Node = FactName(hours.wait, Kind.INTEGER)
        parts.append(_positive(Call("coalesce", (wait, Value(1, Kind.INTEGER)), Kind.INTEGER)))
        names.add(hours.wait)
    tree = parts[0] if len(parts) == 1 else Or(tuple(parts))
    type_ = Type(Kind.BOOLEAN, nullable=limit is not None)
    return Expression(show(tree), tree, type_, frozenset(names))


def _positive(count: Node) -> Node:
    return Compare(">", count, Value(0, Kind.INTEGER))
