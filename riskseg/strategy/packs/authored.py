"""What the file of a guard pack says, before anything is checked but its shape."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AliasChoices, Field

from riskseg.domain.documents import Shape
from riskseg.rules.keys import Name


class Expected(Shape):
    """A fact the strategy uses where a workspace has it, and what stands for it elsewhere."""

    type: Literal["boolean", "integer", "decimal", "date", "text"] = Field(
        description="the type of the fact"
    )
    otherwise: Any = Field(
        validation_alias=AliasChoices("else", "otherwise"),
        description="the value where the workspace lacks the fact, or `unknown`",
    )


class AuthoredPackExample(Shape):
    """Just inside a rule (`forbidden`; of a duty `owed`) or just outside it (`allowed`; of a duty
    `not_owed`), in words."""

    forbidden: str | None = Field(None, description="in words: what is just inside the rule")
    allowed: str | None = Field(None, description="in words: what is just outside the rule")
    owed: str | None = Field(None, description="in words: what is just inside the duty")
    not_owed: str | None = Field(None, description="in words: what is just outside the duty")
    given: dict[str, Any] = Field(description="the facts of the account")


class AuthoredPack(Shape):
    """`rules` are entries that name kinds of action; each has a source and examples."""

    pack: Name = Field(description="its name, as its file is called")
    title: str = Field(description="what it is, in a line")
    for_: str = Field(
        validation_alias=AliasChoices("for", "for_"), description="which creditors it is for"
    )
    note: str = Field(description="what whoever includes it must know")
    not_covered: list[str] = Field(description="what the law asks for and the pack does not hold")
    expects: dict[str, Expected] = Field(
        default_factory=dict, description="the default values of facts that its rules name"
    )
    rules: list[Any] = Field(description="rules that name kinds of action, not actions")
