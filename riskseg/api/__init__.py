"""The public Python API: a workspace, its models and its strategy, or a strategy by itself.

Each method is one call into `run/` and returns what the use case returns (`riskseg.results`). What
is wrong with the input is raised as a `ProblemsError`; an argument that cannot be used, as a
`ValueError`.
"""

from riskseg.api.models import Models
from riskseg.api.strategy import Strategy
from riskseg.api.workspace import Workspace, generate, init, open

__all__ = ["Models", "Strategy", "Workspace", "generate", "init", "open"]
