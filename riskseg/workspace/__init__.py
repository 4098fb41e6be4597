"""riskseg.toml: find it, read it, check it."""

from riskseg.workspace.settings import Overlay, Settings, Source, Workspace, find, open_workspace

__all__ = ["Overlay", "Settings", "Source", "Workspace", "find", "open_workspace"]
