"""riskseg.toml: find it, read it, check it."""

from riskseg.workspace.settings import Settings, Source, Workspace, find, open_workspace

__all__ = ["Settings", "Source", "Workspace", "find", "open_workspace"]
