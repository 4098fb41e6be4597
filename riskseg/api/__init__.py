"""The public Python API: a workspace, a strategy by itself, and what their methods return.

Each method is one call into `run/`. What a call returns is what the use case returns, and its rows
besides: `.to_arrow()`, `.to_pandas()`, and a small table where it is shown. What is wrong with the
input is raised as a `ProblemsError`; an argument that cannot be used, as a `ValueError`.
"""

from riskseg.api.workspace import Strategy, Workspace, open

__all__ = ["Strategy", "Workspace", "open"]
