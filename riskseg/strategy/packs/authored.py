"""What the file of a guard pack says, before anything is checked but its shape."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AliasChoices, Field

from riskseg.domain.documents import Shape
from riskseg.rules.keys import Name


class Expected(Shape):
    """A fact the strategy uses where a workspace has it, and what stands for it elsewhere."""

    type: Literal["boolean", "integer", "decimal", "date", "text"]
    otherwise: Any = Field(validation_alias=AliasChoices("else", "otherwise"))


class AuthoredPackExample(Shape):
    """Just inside a rule (`forbidden`; of a duty `owed`) or just outside it (`allowed`; of a duty
    `not_owed`), in words."""

    forbidden: str | None = None
    allowed: str | None = None
    owed: str | None = None
    not_owed: str | None = None
    given: dict[str, Any]


class AuthoredPack(Shape):
    """`rules` are entries that name kinds of action; each has a source and examples."""

    pack: Name
    title: str
    for_: str = Field(validation_alias=AliasChoices("for", "for_"))
    note: str
    not_covered: list[str]
    expects: dict[str, Expected] = Field(default_factory=dict)
    rules: list[Any]
