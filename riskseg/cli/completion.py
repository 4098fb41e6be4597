"""What a shell completes: names that the workspace has. Where it has none, or cannot be read,
nothing is offered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from riskseg import run as use_cases

if TYPE_CHECKING:
    from riskseg.run.known_names import Of

Complete = Callable[[typer.Context, str], list[str]]


def names(of: Of) -> Complete:
    """Complete the names of a kind."""

    def complete(context: typer.Context, incomplete: str) -> list[str]:
        return _offered(lambda: use_cases.known_names.known_names(_root(context), of), incomplete)

    return complete


def questions(context: typer.Context, incomplete: str) -> list[str]:
    """Complete the questions of `insight`, which are there without a workspace."""
    return _offered(lambda: list(use_cases.insight.questions()), incomplete)


def versions(context: typer.Context, incomplete: str) -> list[str]:
    """Complete the versions of the model that the command line names before."""
    model = context.params.get("model")
    if not isinstance(model, str):
        return []
    return _offered(lambda: use_cases.known_names.versions(_root(context), model), incomplete)


def models_with_versions(context: typer.Context, incomplete: str) -> list[str]:
    """Complete MODEL or MODEL@VERSION."""
    model, at, _ = incomplete.partition("@")

    def offered() -> list[str]:
        root = _root(context)
        if not at:
            return use_cases.known_names.known_names(root, "models")
        return [f"{model}@{version}" for version in use_cases.known_names.versions(root, model)]

    return _offered(offered, incomplete)


def _root(context: Any) -> Path:
    """The workspace of the command line: the shell asks before -w is acted upon."""
    from riskseg.workspace import find

    given = context.find_root().params.get("workspace")
    return Path(given) if given is not None else find(Path.cwd())


def _offered(all_names: Callable[[], list[str]], incomplete: str) -> list[str]:
    try:
        return [name for name in all_names() if name.startswith(incomplete)]
    except Exception:  # a shell has no place to show why
        return []
