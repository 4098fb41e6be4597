"""What the JSON files of an artefact have in common: how they are read and how they are checked.

A version may come from elsewhere, its hashes in order and its contents not. What is read is
checked by type and bound, so that a version either works or is refused before it is used.
"""

from __future__ import annotations

import json
import math
import re
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

S = TypeVar("S", bound="Stored")
# Far beyond any figure that was fitted, and near enough to be multiplied.
LARGEST = 1e12


class Unreadable(ValueError):
    """A file that riskseg cannot have written: its name, and why."""

    def __init__(self, file: str, why: str) -> None:
        super().__init__(why)
        self.file = file


def parsed(content: bytes, file: str) -> Any:
    """The data of a JSON file, without what is never written: NaN, infinity, numbers beyond 64
    bits."""

    def real(text: str) -> float:
        if not math.isfinite(number := float(text)):
            raise ValueError(f"the number {text[:20]} is not finite")
        return number

    def whole(text: str) -> int:
        if len(text) > 20 or not -(2**63) <= (number := int(text)) < 2**63:
            raise ValueError(f"the number {text[:20]} takes more than 64 bits")
        return number

    try:
        return json.loads(content, parse_float=real, parse_int=whole, parse_constant=real)
    except (ValueError, RecursionError) as error:
        raise Unreadable(file, str(error)) from error


def _day(text: str) -> str:
    date.fromisoformat(text)
    return text


def _points(text: str) -> str:
    if not re.fullmatch(r"-?[0-9]{1,10}\.[0-9]{2}", text):
        raise ValueError("points have two decimals, and at most ten digits before them")
    return text


Day = Annotated[str, AfterValidator(_day)]
Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0)]
Fitted = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
Sign = Literal[-1, 0, 1]
Points = Annotated[str, AfterValidator(_points)]


class Stored(BaseModel):
    """A JSON file of an artefact, or a part of one: keys that are read and written; others may
    stand beside them."""

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        extra="ignore",
        populate_by_name=True,
        defer_build=True,
    )

    def as_json(self) -> dict[str, Any]:
        """The part as JSON holds it, without what was not given."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


def shaped(shape: type[S], data: Any, file: str) -> S:
    """The data as the shape. Raises Unreadable with the first fault."""
    try:
        return shape.model_validate(data)
    except ValidationError as error:
        first_fault = error.errors()[0]
        fault_path = ".".join(map(str, first_fault["loc"]))
        fault_text = first_fault["msg"].removeprefix("Value error, ")
        raise Unreadable(
            file, f"{fault_path}: {fault_text}" if fault_path else fault_text
        ) from error
