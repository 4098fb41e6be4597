"""The check of an authored entry, which makes a feature of it or adds its Problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems, did_you_mean
from riskseg.expressions import Expression, check
from riskseg.expressions.assumptions import MONEY_UNIT
from riskseg.features.authored import AuthoredFeature, Entry
from riskseg.features.bounds import never_negative
from riskseg.features.feature import ACCOUNT_DATES, DATED, NEEDS, SCOPES, Feature


def check_aggregate(
    authored: AuthoredFeature, bill_attributes: Mapping[str, Fact], problems: Problems
) -> Feature | None:
    """A feature that aggregates rows of its range, or None after adding its Problems."""
    entry = authored.entry
    scope = SCOPES[entry.range]
    if entry.range == "bills":
        scope = {**bill_attributes, **scope}
    before = len(problems)
    check_keys(authored, problems)
    value = _check_value(authored, scope, problems)
    filter_ = None
    if entry.filter is not None:
        filter_ = check(
            entry.filter,
            scope,
            problems,
            file=authored.document.file,
            line=authored.line("filter"),
            unknown_key=False,
        )
    if len(problems) > before:
        return None
    kind = _kind(authored, value, problems)
    if kind is None:
        return None
    empty = entry.empty
    if empty is None and entry.aggregate in ("count", "sum"):
        empty = 0
    lower = None
    if value is None or (kind.is_numeric and never_negative(value.tree, scope)):
        lower = Decimal(min(0, empty or 0))
    return Feature(
        replace(
            _as_fact(entry, kind, nullable=empty is None, lower=lower),
            levels=value.type.levels if value else (),
        ),
        entry.range,
        entry.aggregate,
        value,
        filter_,
        entry.window,
        empty,
        frozenset({*NEEDS[entry.range], *entry.needs}),
        {
            name: bill_attributes[name]
            for name in sorted(set().union(*(e.names for e in (value, filter_) if e)))
            if entry.range == "bills" and name not in SCOPES["bills"]
        },
    )


def check_keys(authored: AuthoredFeature, problems: Problems) -> None:
    """Add a Problem for each key that the feature's range or aggregate has no use for, or lacks."""
    entry = authored.entry

    def wrong(key: str, fault: str, hint: str = "", code: str = "RS004") -> None:
        _reject(authored, key, fault, hint, code, problems)

    if entry.hurts_beyond is not None and not (entry.direction or entry.risky):
        wrong("hurts_beyond", "has no side of more risk.", "Add `direction:` or `risky:`.", "RS005")
    if entry.range == "account":
        for key in ("aggregate", "filter", "window", "empty"):
            if getattr(entry, key) is not None:
                wrong(key, f"is worked out from other features: `{key}` would change nothing.")
        if entry.value is None:
            wrong("range", "has no value.", "Add `value:`.", "RS005")
        return
    if entry.aggregate is None:
        hint = "Add `aggregate: count`, or sum, max, min, latest."
        wrong("range", f"ranges over {entry.range} and has no aggregate.", hint, "RS005")
    elif (entry.value is None) != (entry.aggregate == "count"):
        wrong("aggregate", "is wrong: a count has no value, and every other aggregate has one.")
    if entry.range != "bills" and entry.aggregate == "latest":
        wrong("aggregate", "takes the latest, which is the bill issued last.", "Range over bills.")
    if entry.range != "bills" and entry.window == "open":
        wrong("window", "looks at what is open, which only bills are.", "Write days, as `90 days`.")
    if entry.range not in DATED and entry.window is not None:
        wrong("window", "looks at accounts as they are on the date.", "Leave `window` out.")
    if entry.aggregate == "count" and entry.empty not in (None, 0):
        wrong("empty", "is for other aggregates: a count of no rows is 0.", "Leave `empty` out.")


def _reject(
    authored: AuthoredFeature, key: str, fault: str, hint: str, code: str, problems: Problems
) -> None:
    """Add a Problem with what is wrong with a key of the feature's entry."""
    message = f'"{authored.name}" {fault}'
    file, line = authored.document.file, authored.line(key)
    problems.add(code, message, file=file, line=line, hint=hint)


def _check_value(
    authored: AuthoredFeature, scope: Mapping[str, Fact], problems: Problems
) -> Expression | None:
    """The feature's value; None where it has none, or after adding its Problems."""
    if authored.entry.value is None:
        return None
    return check(
        authored.entry.value,
        scope,
        problems,
        file=authored.document.file,
        line=authored.line("value"),
        expect="value",
        may_be_unknown=True,
    )


def _kind(authored: AuthoredFeature, value: Expression | None, problems: Problems) -> Kind | None:
    """What a feature is: of its own `type`, where its value can be brought to that, else of its
    value's; money is a decimal. None after adding a Problem."""
    entry = authored.entry

    def wrong(key: str, fault: str, hint: str = "") -> None:
        _reject(authored, key, fault, hint, "RS304", problems)

    given = Kind.INTEGER if value is None else value.type.kind
    money = entry.unit == MONEY_UNIT
    kind = Kind(entry.type) if entry.type else Kind.DECIMAL if money else given
    if kind is Kind.NUMBER and entry.aggregate != "latest":
        kind = Kind.DECIMAL  # a sum of floats would depend on the order of the rows
    before = len(problems)
    if given.is_textual and (entry.aggregate != "latest" or entry.type):
        hint = "A feature is a number, a date, or true or false; a text only of the latest bill."
        wrong("value", "gives a text.", hint)
    elif kind is not given and not (kind.is_numeric and given.is_numeric):
        wrong("type" if entry.type else "unit", f"is {kind}, and its value {given}.")
    elif money and (kind is not Kind.DECIMAL or value is None):
        wrong("unit", "is not an amount of money.", "Money is a decimal; a count has another unit.")
    elif entry.aggregate == "sum" and not kind.is_numeric:
        wrong("aggregate", f"adds up values that are {kind}, not numbers.")
    elif entry.empty is not None and not kind.is_numeric:
        wrong("empty", f"is {kind}: of no rows, it cannot be a number.", "Leave `empty` out.")
    return kind if len(problems) == before else None


def _as_fact(entry: Entry, kind: Kind, *, nullable: bool, lower: Decimal | None) -> Fact:
    return Fact(
        entry.name,
        kind,
        nullable,
        lower=lower,
        words=entry.words,
        unit=entry.unit,
        direction={"+": 1, "-": -1, None: 0}[entry.direction],
        family=entry.family,
        source=entry.range,
        static=entry.static,
        protected=entry.protected,
        phrases=tuple((k, v) for k, v in entry.phrases.model_dump().items() if v),
        risky_side={"+": 1, "-": -1, None: 0}[entry.risky],
        hurts_beyond=entry.hurts_beyond,
    )


def check_account_features(
    authored: Sequence[AuthoredFeature], features: Mapping[str, Feature], problems: Problems
) -> dict[str, Feature]:
    """Features that are worked out from others, which are in `features` or among them: in an order
    in which each finds those it names."""
    checked: dict[str, Feature] = {}
    waiting = list(authored)
    while waiting:
        names = {feature.name for feature in waiting}
        ready = [feature for feature in waiting if not feature.words & (names - {feature.name})]
        if not ready:
            first = waiting[0]
            problems.add(
                "RS501",
                f'"{first.name}" is worked out from itself, by way of {did_you_mean("", names)}',
                file=first.document.file,
                line=first.document.line(first.index),
            )
            return checked
        for feature in ready:
            known = {name: f.fact for name, f in {**features, **checked}.items()}
            value = _check_value(feature, {**ACCOUNT_DATES, **known}, problems)
            kind = _kind(feature, value, problems) if value is not None else None
            if value is not None and kind is not None:
                fact = _as_fact(feature.entry, kind, nullable=value.type.nullable, lower=None)
                needs = frozenset(feature.entry.needs)
                checked[feature.name] = Feature(
                    fact, "account", None, value, None, None, None, needs
                )
        waiting = [feature for feature in waiting if feature not in ready]
    return checked
