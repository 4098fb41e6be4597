"""[source.overlays.NAME]: tables that add attributes to accounts by a key that both have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from riskseg.domain.documents import Document
from riskseg.domain.facts import folded
from riskseg.domain.problems import Problems
from riskseg.domain.relations import quoted

OVERLAYS = "overlays"
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def overlay_tables(
    written: Mapping[str, Any], document: Document, problems: Problems
) -> Iterator[tuple[str, str, str, dict[str, str]]]:
    """The name, `from`, `on` and mapped columns of each overlay under [source.overlays]. The key
    is mapped as `key`: the column named in `on`, or what a line of that name says.

    Adds RS003 to RS005 for one that does not say what it should.
    """
    for name, table in written.items():
        at = document.at("source", OVERLAYS, name)
        if not isinstance(table, dict) or not _NAME.fullmatch(name):
            problems.add(
                "RS003",
                f'"{name}" is not an overlay.',
                hint="Write [source.overlays.NAME], with a name of small letters, digits and _.",
                **at,
            )
            continue
        wrong = [
            key for key, value in table.items() if not isinstance(value, str) and key != "read"
        ]
        lacking = [key for key in ("from", "on") if key not in table]
        for key in wrong:
            problems.add(
                "RS004",
                f'"{key}" of the overlay {name} is not a text.',
                hint="Every line of an overlay is a text: a file, a column or an expression.",
                **document.at("source", OVERLAYS, name, key),
            )
        for key in lacking:
            problems.add(
                "RS005",
                f'"{key}" is missing: [source.overlays.{name}] does not say '
                + (
                    "where its rows are."
                    if key == "from"
                    else "which column of accounts its key is."
                ),
                hint='Add `from = "a file, a glob, or a select"`.'
                if key == "from"
                else 'Add `on = "a column of accounts"`, such as `on = "postcode_sector"`.',
                **at,
            )
        if wrong or lacking:
            continue
        columns = {
            key: value
            for key, value in table.items()
            if key not in ("from", "on", "url") and isinstance(value, str)
        }
        by_key = {folded(key): key for key in columns}
        on = folded(table["on"])
        key = columns.pop(by_key[on]) if on in by_key else _column(table["on"])
        yield name, table["from"], on, {"key": key, **columns}


def _column(name: str) -> str:
    return name if re.fullmatch(r"[^\W\d]\w*", name) else quoted(name)
