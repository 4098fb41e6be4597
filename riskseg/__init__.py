"""riskseg: a credit and collections segmentation engine.

From Python: `riskseg.open("folder")` opens a workspace, `riskseg.Strategy.read("rules/NAME")` reads
rules by themselves; `riskseg.ProblemsError` carries what is wrong. See docs/guide/python.md.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from riskseg.api import Strategy, Workspace, generate, init, open
    from riskseg.domain.problems import Problem, ProblemsError

__version__ = "0.1.0"
__all__ = ["Problem", "ProblemsError", "Strategy", "Workspace", "generate", "init", "open"]

_HOMES = {
    "Problem": "riskseg.domain.problems",
    "ProblemsError": "riskseg.domain.problems",
    "Strategy": "riskseg.api",
    "Workspace": "riskseg.api",
    "generate": "riskseg.api",
    "init": "riskseg.api",
    "open": "riskseg.api",
}


def __getattr__(name: str) -> Any:
    """The public names, each imported when it is first asked for: `import riskseg` stays quick."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
