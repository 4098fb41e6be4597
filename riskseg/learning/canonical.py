"""JSON with one form only, so that equal artefacts are equal bytes."""

from __future__ import annotations

import json
from typing import Any


def canonical(value: Any) -> bytes:
    """Sorted keys, one space of indent, exact floats, no NaN, a newline at the end."""
    text = json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()


def fixed(value: float) -> float:
    """A figure for people, at six decimals; -0.0 becomes 0.0."""
    return round(float(value), 6) + 0.0
