"""JSON Schemas of a strategy's files, for editors: the keys, what each may hold, what it means.

They are made of the shapes that the files are read by, so an editor knows what riskseg reads.
What takes more than one value to see, such as a row that can never match, `strategy check` finds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from riskseg.strategy.authored import FILES
from riskseg.strategy.kinds.shape import written_pack, written_rules

PACKS = "packs/*.yaml"


def strategy_schemas() -> Mapping[str, dict[str, Any]]:
    """The schema of each file of a strategy, by its name; that of packs by `packs/*.yaml`."""
    schemas = {file.name: _schema(file.shape or written_rules(), file.name) for file in FILES}
    return {**schemas, PACKS: _schema(written_pack(), PACKS)}


def schema_file(name: str) -> str:
    """What the file of the schema is called."""
    return f"{'pack' if name == PACKS else name.removesuffix('.yaml')}.schema.json"


class _Written(GenerateJsonSchema):
    """Numbers are numbers: where a shape holds a decimal, a text is none. Keys need no titles."""

    def decimal_schema(self, schema: Any) -> dict[str, Any]:
        bounds = {"minimum": schema.get("ge"), "maximum": schema.get("le")}
        given = {name: float(bound) for name, bound in bounds.items() if bound is not None}
        return {"type": "number", **given}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _schema(shape: type[BaseModel], name: str) -> dict[str, Any]:
    schema = shape.model_json_schema(schema_generator=_Written)
    parts = {part: _untitled(definition) for part, definition in schema.pop("$defs", {}).items()}
    whole = {
        "$schema": "http://json-schema.org/draft-07/schema#",  # what editors know best
        **_untitled(schema),
        "title": f"{name} of a riskseg strategy",
    }
    return {**whole, "$defs": parts} if parts else whole


def _untitled(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != "title"}
