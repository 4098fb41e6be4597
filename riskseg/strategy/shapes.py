"""The keys of a strategy's files: which there are, what each may hold, and what it means.

Whatever reads the files, the reference and the JSON Schemas for editors (`strategy/schemas.py`)
all take the keys from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AliasChoices,
    Discriminator,
    Field,
    RootModel,
    Tag,
    field_validator,
    model_validator,
)

from riskseg.domain.documents import Shape
from riskseg.rules.keys import (
    ConstantName,
    DayCountOrConstant,
    DaysOrConstant,
    DecimalOrConstant,
    Name,
    Text,
    TimesOrConstant,
)
from riskseg.strategy.packs.authored import Expected

UnknownCounts = Literal["match", "skip"]


def exact(value: object) -> object:
    """A number as typed: 0.05 is five hundredths, not the nearest float."""
    number = isinstance(value, float | int) and not isinstance(value, bool)
    return Decimal(str(value)) if number else value


# strategy.yaml


class AuthoredConstant(Shape):
    """A value with a name; the value alone is enough."""

    value: int | Decimal | str | date = Field(description="a number, a text or a date")
    unit: str | None = Field(None, description="such as `GBP` or `days`, for people")
    description: str | None = Field(None, description="what it stands for, for people")

    @model_validator(mode="before")
    @classmethod
    def _value_alone(cls, written: object) -> object:
        return written if isinstance(written, dict) else {"value": written}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> Any:
        whole = handler(schema)
        return {"anyOf": [handler.resolve_ref_schema(whole)["properties"]["value"], whole]}

    @field_validator("value", mode="before")
    @classmethod
    def _exact(cls, value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str | date):
            raise ValueError("it should be a number, a text or a date")
        return exact(value) if isinstance(value, float) else value


class AuthoredBand(Shape):
    of: str = Field(description="the probability that is cut into levels: a name under `uses`")
    cuts: dict[str, DecimalOrConstant] = Field(
        description="`level: upper end`, rising and ending at 1; the end may be a constant"
    )

    @field_validator("cuts", mode="before")
    @classmethod
    def _exact(cls, value: object) -> object:
        return {k: exact(v) for k, v in value.items()} if isinstance(value, dict) else value


class AuthoredCalendar(Shape):
    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] | None = Field(
        None, description="the days of the week that are worked; every day where it is left out"
    )
    holidays: str | None = Field(
        None, description="the public holidays of a country or region, such as `GB-ENG`"
    )
    closed: Literal["next", "previous"] = Field(
        "next", description="the open day that is taken in place of a closed one"
    )


class AuthoredAction(Shape):
    name: Name = Field(description="its name in paths and guards")
    channel: str = Field(description="by which means it is taken")
    contact: bool = Field(False, description="whether it reaches the customer")
    significant: bool = Field(False, description="whether a person approves of it before")
    four_eyes: bool = Field(False, description="whether two people approve of it before")
    automatic: bool = Field(
        False, description="whether it needs no approval, although it is significant"
    )
    means: str | list[str] | None = Field(
        None, description="the kind of action that it is to guard packs, or a list of kinds"
    )
    cost: DecimalOrConstant | None = Field(
        None, description="what taking it once costs, or a constant; not below 0"
    )
    calendar: AuthoredCalendar | None = Field(
        None, description="the days on which it is taken, as for the whole strategy"
    )

    @field_validator("cost", mode="before")
    @classmethod
    def _exact(cls, value: object) -> object:
        return exact(value)


class AuthoredHead(Shape):
    name: Name = Field(description="its name in every table and manifest")
    purpose: str = Field(description="what it is for")
    owner: str = Field(description="the team or person who is responsible for it")
    effective_from: date | None = Field(
        None, description="a run for an earlier as-of date is refused"
    )
    effective_to: date | None = Field(None, description="a run for a later one is refused")
    uses: dict[str, str] = Field(
        default_factory=dict, description="`name of the probability in the rules: model`"
    )
    constants: dict[ConstantName, AuthoredConstant] = Field(
        default_factory=dict,
        description="`name: value`, or a value with its unit and description; conditions, cells, "
        "cuts, costs, numbers of days and of times may use it as `$name`",
    )
    bands: dict[str, AuthoredBand] = Field(
        default_factory=dict, description="the bands of probabilities, each under its name"
    )
    actions: list[AuthoredAction] = Field(description="the actions, from mild to harsh")
    protective: list[str] = Field(
        default_factory=list,
        description="true-or-false facts that protect; each must be looked at by a guard",
    )
    special_category: list[str] | None = Field(
        None,
        description="true-or-false facts of special categories of personal data, such as health; "
        "where it is left out, those in `protective`",
    )
    priority: Text | None = Field(None, description="a number; orders accounts due on one day")
    treat: Literal["account", "party"] = Field(
        "account",
        description="`party`: one letter, text or call for all accounts of a party of which it "
        "is due",
    )
    calendar: AuthoredCalendar | None = Field(None, description="the days that are worked")
    expects: dict[str, Expected] = Field(
        default_factory=dict,
        description="`fact: {type, else}`: the default value of a fact that the workspace lacks",
    )


# tiers.yaml and segments.yaml


class AuthoredTier(Shape):
    tier: Name = Field(description="the tier's name")
    when: Text | None = Field(None, description="a condition")
    otherwise: Literal[True] | None = Field(None, description="`true` in the last row")
    unknown: UnknownCounts | None = Field(None, description="what an unknown `when` counts as")


# A level, `not` a level, or a range of numbers.
CellLevel = str | bool | int | float | Decimal
Match = list[CellLevel | list[CellLevel] | None]
_MATCH = (
    "a cell for each column: a level, `not` a level, a range of numbers, a list of them, or `any`"
)
_COLUMNS = "bands, tier schemes and facts that the cells are about"


class AuthoredTableRow(Shape):
    match: Match = Field(description=_MATCH)
    tier: Name = Field(description="the tier it gives")


class AuthoredTable(Shape):
    columns: list[str] = Field(description=_COLUMNS)
    rows: list[AuthoredTableRow] = Field(
        description="read from top to bottom; the last is all `any`"
    )


# A tier scheme is a list of conditions, or a table.
AuthoredScheme = Annotated[
    Annotated[list[AuthoredTier], Tag("list")] | Annotated[AuthoredTable, Tag("table")],
    Discriminator(lambda written: "table" if isinstance(written, dict) else "list"),
]


class AuthoredTiers(RootModel[dict[str, AuthoredScheme]]):
    @property
    def levels(self) -> dict[str, tuple[str, ...]]:
        """The tiers of each scheme."""
        return {
            name: tuple(dict.fromkeys(row.tier for row in rows_of(scheme)))
            for name, scheme in self.root.items()
        }


def rows_of(scheme: AuthoredScheme) -> Sequence[AuthoredTier | AuthoredTableRow]:
    return scheme if isinstance(scheme, list) else scheme.rows


class AuthoredRow(Shape):
    id: Name = Field(description="the row's own name")
    match: Match = Field(description=_MATCH)
    segment: Name = Field(description="the segment it gives")


class AuthoredSegments(Shape):
    columns: list[str] = Field(description=_COLUMNS)
    rows: list[AuthoredRow] = Field(description="read from top to bottom; the last is all `any`")


# paths.yaml


class AuthoredAfter(Shape):
    action: str = Field(description="the earlier step that it waits for")
    days: DayCountOrConstant = Field(
        description="how many days after that was issued, or a constant"
    )
    outcome: Literal["none"] | None = Field(
        None, description="`none`: only where no outcome of it was recorded"
    )


class AuthoredStep(Shape):
    day: DaysOrConstant | None = Field(
        None, description="the day of the path, rising; it may be negative, or a constant"
    )
    after: AuthoredAfter | None = Field(
        None, description="in the place of `day`: the step that it waits for"
    )
    action: str = Field(description="what is done")
    template: str | None = Field(None, description="the text that is sent")
    must: bool = Field(False, description="whether it is never skipped for a later step")
    when: Text | None = Field(
        None, description="a condition; while it does not hold, the step is passed over"
    )
    unknown: UnknownCounts | None = Field(None, description="what an unknown `when` counts as")


class AuthoredRepeat(Shape):
    every: DayCountOrConstant = Field(
        description="days from one time to the next: `30 days`, or a constant"
    )
    from_: str = Field(
        validation_alias=AliasChoices("from", "from_"),
        description="the step that comes again first",
    )
    at_most: TimesOrConstant | None = Field(
        None, description="how often, or a constant; without it, there is no end"
    )


class AuthoredPath(Shape):
    for_: list[str] = Field(
        validation_alias=AliasChoices("for", "for_"), description="the segments it serves"
    )
    starts: str = Field(description="the date of day 0")
    steps: list[AuthoredStep] = Field(
        default_factory=list, description="what is done on which day, in the order of the days"
    )
    repeat: AuthoredRepeat | None = Field(
        None, description="the steps that come again after the last one"
    )
    then: str | None = Field(None, description="the path that follows the last step")
    stay: Literal["deliberately"] | None = Field(
        None, description="`deliberately`: nothing follows the last step"
    )
    ends_when: Text | None = Field(
        None, description="a condition that ends it, besides the end of the episode"
    )
    unknown: UnknownCounts | None = Field(None, description="what an unknown `ends_when` counts as")
    due_for: DayCountOrConstant | None = Field(
        None, description="days a step stays due, or a constant"
    )
    backlog: Literal["latest_step", "from_start", "at_day"] | None = Field(
        None,
        description="what is done first for an account that comes to the path in arrears: "
        "`latest_step`, `from_start` or `at_day`",
    )
    on_change: Literal["continue", "restart", "stay"] | None = Field(
        None,
        description="what happens where the segment of an account on the path changes in an "
        "episode: `continue`, `restart` or `stay`",
    )
    hold_for: DayCountOrConstant | None = Field(
        None,
        description="days for which an account stays on the path, whatever its segment, or a "
        "constant",
    )
    at_once: bool = Field(
        False,
        description="whether an account whose segment leads to the path comes at once, wherever it "
        "stays",
    )
    calendar: AuthoredCalendar | None = Field(
        None, description="the days on which its steps are taken, as in strategy.yaml"
    )
    effective_from: date | None = Field(None, description="the first day it is in force")
    effective_to: date | None = Field(None, description="the last")


class AuthoredPaths(RootModel[dict[str, AuthoredPath]]):
    pass


# examples.yaml


class AuthoredExample(Shape):
    example: str = Field(description="its name")
    given: dict[str, Any] = Field(
        default_factory=dict, description="facts, and `day`: the day of the path it stands on"
    )
    expect: dict[str, Any] = Field(description="bands, tiers, segment, path, action")


class AuthoredExamples(Shape):
    defaults: dict[str, Any] = Field(
        default_factory=dict, description="facts of every example that does not give its own"
    )
    examples: list[AuthoredExample] = Field(
        default_factory=list, description="accounts, and what they should get"
    )
