"""riskseg.toml: find it, read it, check it."""

from riskseg.workspace.settings import Settings, Workspace, find, open_workspace
from riskseg.workspace.sources import Overlay, Source
from riskseg.workspace.today import day_of

__all__ = [
    "Overlay",
    "Settings",
    "Source",
    "Workspace",
    "day_of",
    "find",
    "open_workspace",
]
