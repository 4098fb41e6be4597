"""Where the sources of a workspace are read from, as a plan lists it before anything is read."""

from __future__ import annotations

from pathlib import Path

from riskseg.domain.addresses import without_secrets
from riskseg.domain.problems import Problems
from riskseg.workspace import Source, open_workspace


def planned_sources(root: Path) -> list[str]:
    """A line for each source, such as "bills from data/bills.csv", without secrets. None where
    riskseg.toml has Problems, which reading them would tell."""
    workspace = open_workspace(root, Problems())
    if workspace is None:
        return []
    return [f"{name} from {_place(source)}" for name, source in workspace.settings.sources.items()]


def _place(source: Source) -> str:
    words = source.loaded_from.split(None, 1)
    is_select = bool(words) and words[0].lower() in ("select", "with", "from")
    rows = "a select" if is_select else without_secrets(source.loaded_from)
    return rows if source.url is None else f"{rows} in {without_secrets(source.url)}"
