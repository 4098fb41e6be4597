"""What helps where a value of a file does not fit: how people often write what is meant."""

from __future__ import annotations

import re
from collections.abc import Set
from typing import Any

_TRUTHS = {
    **dict.fromkeys(("yes", "y", "on"), "true"),
    **dict.fromkeys(("no", "n", "off"), "false"),
}


def hint_for(value: Any, faults: Set[str]) -> str:
    """What most often helps, for a value that does not fit; empty where nothing is likely."""
    if faults & {"list_type", "tuple_type"}:
        if isinstance(value, dict):
            return "Begin each entry of a list with `- `."
        if isinstance(value, str) and len(value) < 60:
            return f"Write a list: `[{value}]`."
    if value is None:
        return "Write a value, or remove the key."
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str | int):
        return f"Write it without brackets: `{value[0]}`."
    if isinstance(value, int | float) and not isinstance(value, bool) and "string_type" in faults:
        return "Put quotes around it if it is a text; a name begins with a letter."
    if isinstance(value, float):
        return f"Write `{value:.0f}`." if "int_type" in faults and value.is_integer() else ""
    return _hint_of_text(value, faults) if isinstance(value, str) else ""


def _hint_of_text(text: str, faults: Set[str]) -> str:
    """What most often helps where a text does not fit."""
    if (truth := _TRUTHS.get(text.lower())) and faults & {"bool_type", "literal_error"}:
        return f"Write `{truth}`."
    if "date_type" in faults:
        written = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text)
        if written is None:
            return "Write a date as 2026-01-31."
        padded = f"{written[1]}-{written[2]:0>2}-{written[3]:0>2}"
        return "Write it without quotes." if padded == text else f"Write {padded}."
    if faults & {"int_type", "float_type", "is_instance_of"}:
        if re.fullmatch(r"-?\d+", text):
            return "Write it without quotes."
        if number := re.fullmatch("[–—−](\\d+)", text):
            return f"The dash is not a minus sign: write `-{number[1]}`."
    if "string_pattern_mismatch" in faults:
        plain = re.sub("[“”„‘’‚\"']", "", text).strip().lower().replace(" ", "_")
        if re.fullmatch("[a-z][a-z0-9_]*", plain) and plain != text:
            return f"Write `{plain}`."
    return ""


def space_behind_colon(key: str) -> str:
    """What helps where a key swallowed its value: `{day:3}` is a key `day:3`."""
    name, colon, value = key.partition(":")
    return f"Write a space behind the colon: `{name}: {value}`." if colon and value else ""
