"""The catalogue: authored entries become checked features; only checked ones compile."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, RootModel, Tag, field_validator

from riskseg.domain.columns import Column, ColumnShape
from riskseg.domain.documents import Document, Shape, parse_yaml, read_yaml
from riskseg.domain.facts import Fact, Kind, folded
from riskseg.domain.problems import Problems, did_you_mean
from riskseg.domain.relations import quoted
from riskseg.expressions import Expression, check
from riskseg.expressions.assumptions import MONEY_UNIT
from riskseg.features.bounds import never_negative

Range = Literal["bills", "payments", "events", "account"]
Aggregate = Literal["count", "sum", "max", "min", "latest"]

# Days up to the as-of date; `open`: bills that are; None: all there is.
Window = int | Literal["open"] | None
MOST_EMPTY = 1_000_000_000
# How old the latest bill may be, where its attributes are features.
LATEST_DAYS = 365
# The date of a fact that a window is measured on.
DATED: Mapping[str, str] = {"bills": "due_on", "payments": "paid_on", "events": "happened_on"}


class Phrases(Shape):
    """Words for the values of a feature that its `words` do not fit; see
    :class:`riskseg.domain.facts.Fact`."""

    reason: str = ""
    zero: str = ""
    negative: str = ""
    unknown: str = ""
    few: str = ""


class Entry(Shape):
    """A feature as authored."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    range: Range
    aggregate: Aggregate | None = None
    value: str | None = None
    filter: str | None = None
    window: Annotated[int, Field(ge=1, le=36_500)] | Literal["open"] | None = None
    type: Literal["integer", "decimal", "date", "boolean"] | None = None
    unit: str = ""
    empty: Annotated[int, Field(ge=-MOST_EMPTY, le=MOST_EMPTY)] | None = None
    direction: Literal["+", "-"] | None = None
    family: str = ""
    risky: Literal["+", "-"] | None = None
    hurts_beyond: float | None = Field(None, allow_inf_nan=False)
    words: str
    phrases: Phrases = Phrases()
    needs: tuple[str, ...] = ()
    static: bool = False
    protected: bool = False

    @field_validator("window", mode="before")
    @classmethod
    def _days(cls, value: object) -> object:
        if isinstance(value, str) and value.endswith(" days") and value[:-5].isdigit():
            return int(value[:-5])
        if value is not None and value != "open":
            raise ValueError('it is a number of days, as in "90 days", or open')
        return value

    @field_validator("needs", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value


class ColumnEntry(ColumnShape):
    """An entry that describes an attribute of the accounts, and is no feature of its own."""

    name: str


# Keys that only a feature worked out by riskseg has.
_COMPUTED = frozenset(set(Entry.model_fields) - set(ColumnEntry.model_fields))


def _of_kind(entry: Any) -> str:
    """Whether an entry is of a feature, or describes a column of the accounts."""
    keys = set(entry) if isinstance(entry, dict) else set()
    return "feature" if keys & _COMPUTED or "name" not in keys else "column"


class Entries(
    RootModel[
        list[
            Annotated[
                Annotated[Entry, Tag("feature")] | Annotated[ColumnEntry, Tag("column")],
                Discriminator(_of_kind),
            ]
        ]
    ]
):
    pass


@dataclass(frozen=True)
class Feature:
    """A checked feature. `fact` is what rules and models see of it; `window` is in days, or
    `open` for the bills that still matter whatever their age; `attributes` are those of bills that
    its value or filter names."""

    fact: Fact
    range: Range
    aggregate: Aggregate | None
    value: Expression | None
    filter: Expression | None
    window: Window
    empty: int | None
    needs: frozenset[str]
    attributes: Mapping[str, Fact] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.fact.name

    @property
    def names(self) -> frozenset[str]:
        """What its value and its filter name."""
        return frozenset().union(*(e.names for e in (self.value, self.filter) if e))

    @property
    def is_money(self) -> bool:
        return self.fact.unit == MONEY_UNIT


@dataclass(frozen=True)
class BillAttribute:
    """An attribute of bills as a fact of one bill, and where riskseg.toml names it."""

    fact: Fact
    file: str
    line: int | None

    @property
    def latest(self) -> str:
        """The name of the feature that is the attribute of the latest bill."""
        return f"latest_{self.fact.name}"


@dataclass(frozen=True)
class Catalogue:
    """Every feature known, and which of them this workspace can compute.

    `lacking` maps the others to the source (or `source.column`) that is not there. `columns` are
    attributes of the accounts that models/features.yaml describes, by folded name.
    """

    features: Mapping[str, Feature]
    lacking: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Column] = field(default_factory=dict)

    def available(self) -> dict[str, Feature]:
        return {n: f for n, f in self.features.items() if n not in self.lacking}

    def declared(self) -> dict[str, Fact]:
        """What the features that this workspace lacks would be."""
        return {n: self.features[n].fact for n in self.lacking}

    def closure(self, names: Iterable[str]) -> dict[str, Feature]:
        """The named features and those they are worked out from, in catalogue order."""
        wanted: set[str] = set()
        todo = [n for n in names if n in self.features]
        while todo:
            name = todo.pop()
            if name not in wanted:
                wanted.add(name)
                value = self.features[name].value
                if self.features[name].range == "account" and value:
                    todo += [n for n in value.names if n in self.features]
        return {n: f for n, f in self.features.items() if n in wanted}


def _fact(name: str, kind: Kind, nullable: bool = False, lower: int | None = None) -> Fact:
    return Fact(name, kind, nullable, lower=None if lower is None else Decimal(lower))


SCOPES: Mapping[str, Mapping[str, Fact]] = {
    range_: {f.name: f for f in facts}
    for range_, facts in {
        "bills": (
            _fact("as_of", Kind.DATE),
            _fact("due_on", Kind.DATE),
            _fact("issued_on", Kind.DATE),
            _fact("known_on", Kind.DATE),
            _fact("amount", Kind.DECIMAL, lower=0),
            _fact("paid", Kind.DECIMAL, lower=0),
            _fact("overdue", Kind.DECIMAL, lower=0),
            _fact("cleared_on", Kind.DATE, nullable=True),
            _fact("days_past_due", Kind.INTEGER, lower=0),
        ),
        "payments": (
            _fact("as_of", Kind.DATE),
            _fact("paid_on", Kind.DATE),
            _fact("amount", Kind.DECIMAL, lower=0),
            _fact("settled", Kind.BOOLEAN),
            _fact("undone", Kind.BOOLEAN),
            _fact("method", Kind.TEXT, nullable=True),
        ),
        "events": (
            _fact("as_of", Kind.DATE),
            _fact("happened_on", Kind.DATE),
            _fact("kind", Kind.TEXT),
            _fact("channel", Kind.TEXT, nullable=True),
            _fact("outcome", Kind.TEXT, nullable=True),
            _fact("amount", Kind.DECIMAL, nullable=True),
            _fact("until", Kind.DATE, nullable=True),
        ),
    }.items()
}

# Dates of the account itself, which features of range `account` may be worked out from.
ACCOUNT_DATES: Mapping[str, Fact] = {
    "as_of": _fact("as_of", Kind.DATE),
    "opened_on": _fact("opened_on", Kind.DATE, nullable=True),
    "first_billed_on": _fact("first_billed_on", Kind.DATE, nullable=True),
}


def read_catalogue(
    own: Path | None,
    problems: Problems,
    *,
    shown: str = "",
    attributes: Iterable[BillAttribute] = (),
    undetermined: Collection[str] = (),
) -> Catalogue:
    """The shipped catalogue, the workspace's own features where it has any, and for each attribute
    of bills the feature that is that of the latest bill.

    `undetermined` are attributes of bills of which nobody knows yet what they hold: features that
    name one are left out.
    """
    shipped = (files("riskseg.features") / "catalogue.yaml").read_text(encoding="utf-8")
    documents = [parse_yaml(shipped, "catalogue.yaml", problems)]
    if own is not None and own.is_file():
        documents.append(read_yaml(own, problems, shown=shown))
    features: dict[str, Feature] = {}
    columns: dict[str, Column] = {}
    later: list[tuple[Entry, Document, int]] = []
    of_bills = {one.fact.name: one.fact for one in attributes}
    for document in documents:
        entries = document.shaped(Entries, problems) if document and document.data else None
        for index, entry in enumerate(entries.root if entries else ()):
            assert document is not None
            if isinstance(entry, ColumnEntry):
                _add_column(entry, Column(entry, document, (index,)), columns, problems)
            elif entry.name in features or any(entry.name == e.name for e, _, _ in later):
                problems.add(
                    "RS503",
                    f'The feature "{entry.name}" is defined twice.',
                    file=document.file,
                    line=document.line(index),
                    hint="Give it another name.",
                )
            elif entry.range == "account":
                before = len(problems)
                _check_keys(entry, document, index, problems)
                if len(problems) == before:
                    later.append((entry, document, index))
            else:
                unknown = entry.range == "bills" and _names(entry) & set(undetermined)
                feature = (
                    None if unknown else _aggregate(entry, document, index, of_bills, problems)
                )
                if feature:
                    features[entry.name] = feature
    _add_latest(attributes, features, problems)
    _add_account_features(later, features, problems)
    clashes = {name: columns.pop(name) for name in sorted(columns.keys() & features.keys())}
    for name, column in clashes.items():
        problems.add(
            "RS503",
            f'"{name}" is a feature that riskseg works out, not an attribute to describe.',
            hint="Give your own feature another name, and a `range`.",
            **column.at(),
        )
    return Catalogue(features, columns=columns)


def _add_latest(
    attributes: Iterable[BillAttribute], features: dict[str, Feature], problems: Problems
) -> None:
    """Add, for each attribute of bills, the feature that is the attribute of the latest bill; a
    Problem where its name, or the attribute's, is that of something else."""
    scope = SCOPES["bills"]
    for one in attributes:
        name = one.fact.name
        taken = name if name in scope else one.latest if one.latest in features else None
        if taken is not None:
            problems.add(
                "RS503",
                f'The attribute "{name}" of bills would be known as {taken}, which is something '
                "else already.",
                file=one.file,
                line=one.line,
                hint=f"Name it otherwise in [source.bills]: `NAME = '{quoted(name)}'`.",
            )
            continue
        value = check(quoted(name), {name: one.fact}, problems, expect="value", may_be_unknown=True)
        assert value is not None
        features[one.latest] = Feature(
            replace(one.fact, name=one.latest, family=one.latest),
            "bills",
            "latest",
            value,
            None,
            LATEST_DAYS,
            None,
            frozenset({"bills"}),
            {name: one.fact},
        )


def _add_column(
    entry: ColumnEntry, column: Column, columns: dict[str, Column], problems: Problems
) -> None:
    """Add what an entry says of an attribute; a Problem where another entry says it already."""
    if folded(entry.name) in columns:
        problems.add(
            "RS503",
            f'The attribute "{folded(entry.name)}" is described twice.',
            hint="Names have no letter case: keep one of them.",
            **column.at(),
        )
    columns[folded(entry.name)] = column


def without(catalogue: Catalogue, has: frozenset[str]) -> Catalogue:
    """The catalogue as a workspace with the sources (and `source.column`s) in `has` sees it."""
    lacking: dict[str, str] = {}
    for name, feature in catalogue.features.items():
        for need in sorted(feature.needs):
            if need not in has:
                lacking.setdefault(name, need)
    changed = True
    while changed:
        changed = False
        for name, feature in catalogue.features.items():
            if name in lacking or feature.range != "account" or feature.value is None:
                continue
            missing = [lacking[n] for n in sorted(feature.value.names) if n in lacking]
            if missing:
                lacking[name] = missing[0]
                changed = True
    return Catalogue(catalogue.features, lacking, catalogue.columns)


def _aggregate(
    entry: Entry, at: Document, index: int, of_bills: Mapping[str, Fact], problems: Problems
) -> Feature | None:
    scope = SCOPES[entry.range]
    if entry.range == "bills":
        scope = {**of_bills, **scope}
    before = len(problems)
    value = filter_ = None
    _check_keys(entry, at, index, problems)
    if entry.value is not None:
        value = check(
            entry.value,
            scope,
            problems,
            file=at.file,
            line=at.line(index, "value"),
            expect="value",
            may_be_unknown=True,
        )
    if entry.filter is not None:
        filter_ = check(
            entry.filter,
            scope,
            problems,
            file=at.file,
            line=at.line(index, "filter"),
            unknown_key=False,
        )
    if len(problems) > before:
        return None
    kind = _kind(entry, value, at, index, problems)
    empty = (
        entry.empty
        if entry.empty is not None
        else (0 if entry.aggregate in ("count", "sum") else None)
    )
    if kind is None:
        return None
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
        frozenset({entry.range, *entry.needs}),
        {
            name: of_bills[name]
            for name in sorted(set().union(*(e.names for e in (value, filter_) if e)))
            if entry.range == "bills" and name not in SCOPES["bills"]
        },
    )


def _check_keys(entry: Entry, at: Document, index: int, problems: Problems) -> None:
    """Add a Problem for each key that the feature's range or aggregate has no use for, or lacks."""

    def wrong(key: str, what: str, hint: str = "", code: str = "RS004") -> None:
        line = at.line(index, key) or at.line(index)
        message = f'"{entry.name}" {what}'
        problems.add(code, message, file=at.file, line=line, hint=hint)

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
    if entry.aggregate == "count" and entry.empty not in (None, 0):
        wrong("empty", "counts: of nothing there are 0.", "Leave `empty` out.")


def _kind(
    entry: Entry, value: Expression | None, at: Document, index: int, problems: Problems
) -> Kind | None:
    """What a feature is: of its own `type`, where its value can be brought to that, else of its
    value's; money is a decimal. None after adding a Problem."""

    def wrong(key: str, what: str, hint: str = "") -> None:
        line = at.line(index, key) or at.line(index)
        problems.add("RS304", f'"{entry.name}" {what}', file=at.file, line=line, hint=hint)

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
        wrong("unit", "is no amount of money.", "Money is a decimal; a count has another unit.")
    elif entry.aggregate == "sum" and not kind.is_numeric:
        wrong("aggregate", f"adds up what is no number but {kind}.")
    elif entry.empty is not None and not kind.is_numeric:
        wrong("empty", f"is {kind}: a number cannot stand for it.", "Leave `empty` out.")
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


def _add_account_features(
    entries: list[tuple[Entry, Document, int]], features: dict[str, Feature], problems: Problems
) -> None:
    """Features worked out from others, in an order in which each finds those it names."""
    left = entries
    while left:
        names = {e.name for e, _, _ in left}
        ready = [x for x in left if not _names(x[0]) & (names - {x[0].name})]
        if not ready:
            entry, at, index = left[0]
            problems.add(
                "RS501",
                f'"{entry.name}" is worked out from itself, by way of {did_you_mean("", names)}',
                file=at.file,
                line=at.line(index),
            )
            return
        for entry, at, index in ready:
            scope = {**ACCOUNT_DATES, **{n: f.fact for n, f in features.items()}}
            value = check(
                entry.value,
                scope,
                problems,
                file=at.file,
                line=at.line(index, "value"),
                expect="value",
                may_be_unknown=True,
            )
            kind = _kind(entry, value, at, index, problems) if value is not None else None
            if value is not None and kind is not None:
                fact = _as_fact(entry, kind, nullable=value.type.nullable, lower=None)
                needs = frozenset(entry.needs)
                features[entry.name] = Feature(
                    fact, "account", None, value, None, None, None, needs
                )
        left = [x for x in left if x not in ready]


def _names(entry: Entry) -> set[str]:
    """Words of an entry's value and filter, enough to see which names stand there."""
    import re

    return set(re.findall(r"[^\W\d]\w*", f"{entry.value or ''} {entry.filter or ''}".lower()))
