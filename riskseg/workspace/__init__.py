"""riskseg.toml: find it, read it, check it."""

from riskseg.workspace.settings import Settings, Workspace, find, open_workspace
from riskseg.workspace.sources import Overlay, Source

__all__ = ["Overlay", "Settings", "Source", "Workspace", "find", "open_workspace"]
