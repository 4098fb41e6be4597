"""A part of a result: typed and frozen."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class Part(BaseModel):
    """A part of a result. Validation reads mappings and objects with attributes alike."""

    # Most commands use few results and make no schema of them. So a class is built where it is
    # first used, and the text below a field, which describes it, is read where a schema is made.
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        from_attributes=True,
        defer_build=True,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        json_schema_serialization_defaults_required=True,
    )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for name, words in _texts_below_fields(cls).items():
            shown_name = cls.model_fields[name].serialization_alias or name
            if shown_name in properties:  # a field may be left out of the JSON
                properties[shown_name].setdefault("description", words)
        return schema


@cache
def _texts_below_fields(part: type[BaseModel]) -> Mapping[str, str]:
    """The text that stands below each field of a class, and of those it extends."""
    texts: dict[str, str] = {}
    for base in reversed(part.__mro__):
        if base is not Part and issubclass(base, Part):
            texts |= _written_in(base)
    return {name: text for name, text in texts.items() if name in part.model_fields}


def _written_in(part: type[Any]) -> dict[str, str]:
    (written,) = ast.parse(textwrap.dedent(inspect.getsource(part))).body
    assert isinstance(written, ast.ClassDef)
    texts = {}
    for field, below in zip(written.body, written.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            match below:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    texts[field.target.id] = inspect.cleandoc(text)
    return texts
