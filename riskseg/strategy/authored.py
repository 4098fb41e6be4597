"""What a strategy's files say, before anything is checked but their shape."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, RootModel, field_validator

from riskseg.domain.documents import Document, Shape, read_yaml
from riskseg.domain.problems import Problems

NAME = r"^[a-z][a-z0-9_-]*$"
Name = Annotated[str, Field(pattern=NAME)]
# An expression may be written as a plain YAML value: `when: true`.
Text = str | bool | int


def exact(value: object) -> object:
    """A number as typed: 0.05 is five hundredths, not the nearest float."""
    number = isinstance(value, float | int) and not isinstance(value, bool)
    return Decimal(str(value)) if number else value


class AuthoredBand(Shape):
    of: str
    cuts: dict[str, Decimal]

    @field_validator("cuts", mode="before")
    @classmethod
    def _exact(cls, value: object) -> object:
        return {k: exact(v) for k, v in value.items()} if isinstance(value, dict) else value


class AuthoredAction(Shape):
    name: Name
    channel: str
    contact: bool = False
    significant: bool = False


class Expected(Shape):
    """A fact the strategy uses where a workspace has it, and what stands for it elsewhere."""

    type: Literal["boolean", "integer", "decimal", "date", "text"]
    otherwise: Any = Field(validation_alias=AliasChoices("else", "otherwise"))


class AuthoredHead(Shape):
    name: Name
    purpose: str
    owner: str
    effective_from: date | None = None
    effective_to: date | None = None
    uses: dict[str, str] = Field(default_factory=dict)
    bands: dict[str, AuthoredBand] = Field(default_factory=dict)
    actions: list[AuthoredAction]
    protective: list[str] = Field(default_factory=list)
    priority: Text | None = None
    expects: dict[str, Expected] = Field(default_factory=dict)


class AuthoredTier(Shape):
    tier: Name
    when: Text | None = None
    otherwise: Literal[True] | None = None
    unknown: Literal["match", "skip"] | None = None


class AuthoredTiers(RootModel[dict[str, list[AuthoredTier]]]):
    pass


class AuthoredRow(Shape):
    id: Name
    match: list[str | bool | list[str | bool]]
    segment: Name


class AuthoredSegments(Shape):
    columns: list[str]
    rows: list[AuthoredRow]


class AuthoredStep(Shape):
    day: int
    action: str
    template: str | None = None


class AuthoredPath(Shape):
    for_: list[str] = Field(validation_alias=AliasChoices("for", "for_"))
    starts: str
    steps: list[AuthoredStep] = Field(default_factory=list)
    then: str = "stay"
    ends_when: Text | None = None
    unknown: Literal["match", "skip"] | None = None
    due_for: int = Field(default=1, ge=1)


class AuthoredPaths(RootModel[dict[str, AuthoredPath]]):
    pass


class AuthoredGuard(Shape):
    """One entry of guards.yaml; which kind it is, the key that names it says."""

    guard: Name | None = None
    hold: Name | None = None
    requirement: Name | None = None
    duty: Name | None = None
    when: Text | None = None
    never: list[str] | None = None
    instead: str | None = None
    of: str | None = None
    needs: Text | None = None
    must: str | None = None
    within: int | None = None
    unknown: Literal["match", "skip"] | None = None
    source: str | None = None
    effective_from: date | None = None
    effective_to: date | None = None


class AuthoredGuards(RootModel[list[AuthoredGuard]]):
    pass


class AuthoredExample(Shape):
    example: str
    given: dict[str, Any] = Field(default_factory=dict)
    expect: dict[str, Any]


class AuthoredExamples(Shape):
    defaults: dict[str, Any] = Field(default_factory=dict)
    examples: list[AuthoredExample] = Field(default_factory=list)


@dataclass(frozen=True)
class AuthoredStrategy:
    """The shaped content of one folder; `documents` by file name, for their lines."""

    head: AuthoredHead
    tiers: AuthoredTiers
    segments: AuthoredSegments
    paths: AuthoredPaths
    guards: AuthoredGuards
    examples: AuthoredExamples
    documents: dict[str, Document] = field(default_factory=dict)

    def at(self, file: str, *path: str | int) -> dict[str, Any]:
        """The `file` and `line` of a Problem about the value at `path`."""
        document = self.documents[file]
        return {"file": document.file, "line": document.line(*path)}


_FILES: tuple[tuple[str, type[Any], bool], ...] = (
    ("strategy.yaml", AuthoredHead, True),
    ("tiers.yaml", AuthoredTiers, False),
    ("segments.yaml", AuthoredSegments, True),
    ("paths.yaml", AuthoredPaths, True),
    ("guards.yaml", AuthoredGuards, False),
    ("examples.yaml", AuthoredExamples, False),
)


def read_strategy(
    folder: Path, problems: Problems, *, shown: str, line: int | None = None
) -> AuthoredStrategy | None:
    """The strategy in a folder, or None after adding a Problem for each misfit of any file.

    `shown` is how riskseg.toml names the folder, on its `line`. tiers.yaml, guards.yaml and
    examples.yaml may be left out; the others are needed.
    """
    if not folder.is_dir():
        problems.add(
            "RS008",
            f"There is no strategy folder {shown}.",
            file="riskseg.toml",
            line=line,
            mend="Set `strategy` in [workspace] to the folder that holds strategy.yaml.",
        )
        return None
    shaped: dict[str, Any] = {}
    documents: dict[str, Document] = {}
    complete = True
    for name, shape, needed in _FILES:
        path = folder / name
        if not path.is_file():
            if needed:
                problems.add("RS200", f"The strategy has no {name}.", file=f"{shown}/{name}")
                complete = False
                continue
            empty: Any = [] if shape is AuthoredGuards else {}
            documents[name] = Document(f"{shown}/{name}", empty, {(): 1})
        else:
            document = read_yaml(path, problems, shown=f"{shown}/{name}")
            if document is None:
                complete = False
                continue
            documents[name] = document
        part = documents[name].shaped(shape, problems)
        if part is None:
            complete = False
        else:
            shaped[name.removesuffix(".yaml")] = part
    if not complete:
        return None
    head = shaped.pop("strategy")
    return AuthoredStrategy(head=head, documents=documents, **shaped)
