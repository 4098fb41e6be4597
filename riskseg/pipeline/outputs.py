"""Where a command may write, never over what the workspace is made of; and what was written, as the
engine reads it again."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from riskseg.domain.addresses import is_of_a_file, without_secrets
from riskseg.domain.problems import Problems, ProblemsError, problem
from riskseg.domain.relations import quoted
from riskseg.engine import Engine, EngineError
from riskseg.pipeline.spark_table import SparkTable
from riskseg.sources.reader import open_source
from riskseg.sources.sql_text import NotAllowedError
from riskseg.store import sinks
from riskseg.workspace import Workspace
from riskseg.workspace.sources import FILE

# How a path begins that was a URL: two of the slashes have become one.
_URL = re.compile(r"[a-z][a-z0-9+.-]+:/", re.IGNORECASE)

# Only what lies above the engine can write with it.
sinks.register(SparkTable())


def check_target(workspace: Workspace, target: str, problems: Problems) -> None:
    """Add RS010 where decisions or scores cannot be written to a file or a database's table, or
    would take the place of something the workspace needs."""
    target_file = sinks.file_of(target)
    before = len(problems)
    if target_file is not None:
        check_output(workspace, target_file, problems)
    if len(problems) == before:
        for taken in islice(_taken_by_a_source(workspace, target), 1):
            _add_needed(f"the source of {taken}", target, problems)
    if len(problems) == before:
        sinks.check(target, problems)


def check_output(
    workspace: Workspace, place: Path, problems: Problems, endings: Sequence[str] = ()
) -> None:
    """Add RS010 where a file at `place` would take the place of something the workspace needs, or
    has an ending that is not the form's."""
    if endings and place.suffix and not place.name.lower().endswith(tuple(endings)):
        problems.add(
            "RS010",
            "The ending of this name does not match what is written.",
            file=str(place),
            hint=f"Use {' or '.join(endings)}.",
        )
    if _URL.match(str(place)):
        problems.add(
            "RS010",
            "This is written to a file of this machine, and cannot be sent to a URL.",
            file=without_secrets(_shown_url(place)),
            hint="Name a file.",
        )
    needed = [
        needed_name
        for needed_path, needed_name in _needed(workspace)
        if _is_or_is_in(place, needed_path)
    ]
    needed += [
        f"the source of {needed_name}"
        for needed_name in _taken_by_a_source(workspace, os.path.realpath(place))
    ]
    if needed:
        _add_needed(needed[0], str(place), problems)


def _shown_url(place: Path) -> str:
    """The URL that a path was, with its slashes."""
    scheme, _, name = str(place).partition(":/")
    return f"{scheme}://{'/' if is_of_a_file(f'{scheme}://') else ''}{name}"


def _add_needed(needed: str, target: str, problems: Problems) -> None:
    problems.add(
        "RS010",
        f"This would write over {needed}.",
        file=without_secrets(target),
        hint="Name another place for the output.",
    )


def make_folder(place: Path) -> None:
    """Make a folder for output, and those above it. Raises RS010 where that cannot be done."""
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise problem(
            "RS010",
            f"This folder cannot be made: {os.strerror(error.errno or 0).lower()}.",
            file=str(place),
            hint="Name another place.",
        ) from error


def _needed(workspace: Workspace) -> Iterator[tuple[Path, str]]:
    """What no output may take the place of, in words; a folder stands for all in it."""
    yield workspace.root / FILE, "riskseg.toml, which the workspace is made of"
    yield workspace.state, "what riskseg keeps for itself"
    yield workspace.strategy, "the strategy"
    yield workspace.root / "rules", "the strategies"
    yield workspace.models, "the models"
    for needed_source, source in workspace.settings.every_source.items():
        with suppress(EngineError, NotAllowedError):  # reported where the sources are read
            for file in open_source(source, workspace.root).files():
                yield file, f"the source of {needed_source}"


def _taken_by_a_source(workspace: Workspace, place: str) -> Iterator[str]:
    """Sources of which an output to that place would be a part: the next run would read it."""
    for source_name, source in workspace.settings.every_source.items():
        with suppress(EngineError, NotAllowedError, ProblemsError):
            if open_source(source, workspace.root).would_read(place):
                yield source_name


def _is_or_is_in(place: Path, other: Path) -> bool:
    """Whether a path is another, by whatever name, link or letter case, or lies in it."""
    if not other.exists():
        return False
    real = Path(os.path.realpath(place))
    for enclosing_path in (real, *real.parents):
        with suppress(OSError):
            if os.path.samefile(enclosing_path, other):
                return enclosing_path == real or other.is_dir()
    return False


def file_relation(engine: Engine, place: Path) -> str:
    """A file of decisions, inputs or outcomes as the engine reads it; text forms as text."""
    text_relation = sinks.texts(place)
    if text_relation is not None:
        name = f"rows of {place}"
        engine.register(name, text_relation)
        return quoted(name)
    return sinks.relation(place, engine.file(place))
