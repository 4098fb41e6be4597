"""riskseg.toml as it is written: its tables and keys."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Literal

from pydantic import AliasChoices, ConfigDict, Field, ValidationInfo, field_validator

from riskseg.domain.columns import ColumnShape
from riskseg.domain.documents import Shape
from riskseg.domain.facts import Kind
from riskseg.workspace.expectations import ExpectTable
from riskseg.workspace.incremental import IncrementalTable
from riskseg.workspace.reading import ReadTable
from riskseg.workspace.timezones import check_timezone


class WorkspaceTable(Shape):
    currency: str = "GBP"
    scale: int = Field(default=2, ge=0, le=4)
    timezone: str | None = None
    arrears_from: Decimal = Field(default=Decimal("5.00"), ge=0)
    promise_grace: int = Field(default=3, ge=0, le=365)
    plan_grace: int = Field(default=5, ge=0, le=365)
    broken_plan: Literal["resume", "re_age"] = "resume"
    max_bad_rows: Decimal = Field(default=Decimal("0.001"), ge=0, le=1)
    max_unmatched: Decimal = Field(default=Decimal("0.05"), ge=0, le=1)
    max_alike: Decimal = Field(default=Decimal("0.5"), ge=0, le=1)
    strategy: str = "rules/household-utility"
    models: str = "models"
    without_models: list[str] = Field(default_factory=list)

    @field_validator("arrears_from", "max_bad_rows", "max_unmatched", "max_alike", mode="before")
    @classmethod
    def _exact(cls, value: object) -> object:
        """A TOML number means the decimal a person typed."""
        is_number = isinstance(value, float | int) and not isinstance(value, bool)
        return Decimal(str(value)) if is_number else value

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, value: str | None) -> str | None:
        return check_timezone(value)

    @field_validator("arrears_from")
    @classmethod
    def _fits_the_scale(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        scale = info.data.get("scale", 2)
        if value != round(value, scale):
            raise ValueError(f"it has more decimals than the scale of {scale}")
        return value


class EngineTable(Shape):
    threads: int | None = Field(default=None, ge=1)
    memory: str = "3GB"
    partitions: int | None = Field(default=None, ge=1)
    keep_staged: bool = True

    @field_validator("memory")
    @classmethod
    def _is_memory(cls, value: str) -> str:
        if not re.fullmatch(r"\d+(\.\d+)? ?(MB|GB|MiB|GiB)", value):
            raise ValueError("it should be an amount of memory, such as `3GB`")
        return value


# What a schema of a database may be called.
SCHEMA_NAME = r"^[a-z_][a-z0-9_]{0,62}$"


class JournalTable(Shape):
    url: str | None = None
    schema_: str = Field(
        default="riskseg",
        validation_alias=AliasChoices("schema", "schema_"),
        pattern=SCHEMA_NAME,
    )


class FairnessTable(Shape):
    frame: Literal["uk-consumer-duty", "eu", "us-states", "none"] = "none"


# The tables whose attributes riskseg.toml may describe.
DESCRIBED_TABLES = ("accounts", "bills")


class SourceColumn(ColumnShape):
    """What riskseg.toml says of an attribute of accounts or bills. `kind` is what its values are,
    whatever today's file looks like; None leaves that to the source's own type."""

    levels: list[str] | None = None
    kind: Literal[Kind.BOOLEAN, Kind.INTEGER, Kind.NUMBER, Kind.DATE, Kind.TEXT] | None = None


class SourceTable(Shape):
    """A source as authored: `from`, and a SQL expression for each column."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, str | dict[str, Any]]

    levels: str | dict[str, list[str]] = Field(default_factory=dict)
    columns: str | dict[str, SourceColumn] = Field(default_factory=dict)
    read: str | ReadTable = Field(default_factory=ReadTable)
    expect: str | ExpectTable = Field(default_factory=ExpectTable)
    incremental: str | IncrementalTable | None = None


class SourceTables(Shape):
    """[source]: what holds for all its tables, and the tables."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, SourceTable]

    url: str | None = None
    layout: str | None = None
    folder: str | None = None

    @property
    def tables(self) -> dict[str, SourceTable]:
        return self.__pydantic_extra__


class Top(Shape):
    workspace: WorkspaceTable = WorkspaceTable()
    engine: EngineTable = EngineTable()
    journal: JournalTable = JournalTable()
    fairness: FairnessTable = FairnessTable()
    source: SourceTables = SourceTables()
    outcomes: dict[str, str] = Field(default_factory=dict)
