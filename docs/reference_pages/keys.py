"""Tables of the keys of a file, from the shape that reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from reference_pages.markdown import code, table


def keys(shape: type[BaseModel], words: Mapping[str, str]) -> Iterator[str]:
    rows = []
    for name, field in shape.model_fields.items():
        key = str(field.validation_alias.choices[0]) if field.validation_alias else name
        rows.append((code(key), _given(field), words[name.rstrip("_")]))
    yield from table(("key", "default", "what it is"), rows)


def described(shape: type[BaseModel]) -> Iterator[str]:
    """The keys of a shape that says itself what they mean."""
    words = {name.rstrip("_"): field.description for name, field in shape.model_fields.items()}
    yield from keys(shape, {key: text for key, text in words.items() if text})


def _given(field: Any) -> str:
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ({}, []):
        return ""
    return code(str(value).lower() if isinstance(value, bool) else str(value))
