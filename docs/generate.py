"""Writes the pages of docs/reference from the code: `python docs/generate.py [--check]`.

What the code knows is read from the code: commands, Problem codes, features, functions, the
keys and columns of every file. Only the words beside a key stand here, and a key without words
is an error. With --check nothing is written; a page that is not current ends it with 1. The pages
are made in `reference_pages/`, a module for each kind.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from reference_pages.commands import commands
from reference_pages.features import features
from reference_pages.files import files
from reference_pages.language import language
from reference_pages.problems import problems
from reference_pages.results import results

from riskseg.results.schema import json_schema
from riskseg.strategy.schemas import schema_file, strategy_schemas

REFERENCE = Path(__file__).parent / "reference"
HEAD = "<!-- Written by docs/generate.py from the code; `make docs` writes it anew. -->\n"

PAGES: Mapping[str, Callable[[], Iterator[str]]] = {
    "commands.md": commands,
    "results.md": results,
    "problems.md": problems,
    "features.md": features,
    "language.md": language,
    "files.md": files,
}


def pages() -> dict[Path, str]:
    """The text of every generated page, by its place."""
    texts = {n: HEAD + "\n".join(page()).rstrip() + "\n" for n, page in PAGES.items()}
    texts["results.schema.json"] = json.dumps(json_schema(), indent=1) + "\n"
    for file, schema in strategy_schemas().items():
        texts[f"schemas/{schema_file(file)}"] = json.dumps(schema, indent=1) + "\n"
    return {REFERENCE / name: text for name, text in texts.items()}


def stale() -> list[str]:
    """The names of pages that are not as the code would have them."""
    return [
        path.name
        for path, text in pages().items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        if old := stale():
            sys.exit(f"not current: {', '.join(old)}. Run `make docs`.")
    else:
        REFERENCE.mkdir(exist_ok=True)
        for place, content in pages().items():
            place.parent.mkdir(exist_ok=True)
            place.write_text(content, encoding="utf-8")
