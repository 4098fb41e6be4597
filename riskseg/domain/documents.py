"""Authored files (YAML, TOML) read together with the line every value stands on.

A :class:`Document` holds plain data and a map from a value's path to its line. Shapes are
declared as pydantic models; what does not fit them becomes Problems at those lines.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from riskseg.domain.problems import Problems, did_you_mean

Path_ = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)


class Shape(BaseModel):
    """Base of every authored shape: unknown keys are Problems, values are never coerced quietly."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


@dataclass(frozen=True)
class Document:
    """An authored file: its name as a person would write it, its data, its lines."""

    file: str
    data: Any
    lines: Mapping[Path_, int]

    def line(self, *path: str | int) -> int | None:
        """The line of the value at `path`, or of the nearest thing that encloses it."""
        here: Path_ = tuple(path)
        while here not in self.lines:
            if not here:
                return None
            here = here[:-1]
        return self.lines[here]

    def shaped(self, shape: type[M], problems: Problems) -> M | None:
        """The data as `shape`, or None after adding a Problem for each misfit."""
        try:
            return shape.model_validate(self.data)
        except ValidationError as error:
            for fault in error.errors():
                self._add(problems, shape, fault)
            return None

    def _add(self, problems: Problems, shape: type[BaseModel], fault: Any) -> None:
        path = tuple(p for p in fault["loc"])
        name = str(path[-1]) if path else "the file"
        if fault["type"] == "extra_forbidden":
            known = _keys_at(shape, path[:-1])
            problems.add(
                "RS003",
                f'"{name}" is not a key that belongs here.',
                file=self.file,
                line=self.line(*path),
                mend=did_you_mean(name, known),
            )
        elif fault["type"] == "missing":
            problems.add(
                "RS005",
                f'"{name}" is missing.',
                file=self.file,
                line=self.line(*path[:-1]),
                mend=f"Add `{name}: …` here.",
            )
        else:
            shown = fault["msg"].removeprefix("Value error, ")
            told = repr(fault["input"]) if not isinstance(fault["input"], dict | list) else "this"
            problems.add(
                "RS004",
                f'"{name}" cannot be {told}: {shown[0].lower()}{shown[1:]}.',
                file=self.file,
                line=self.line(*path),
            )


def _keys_at(shape: type[BaseModel], path: Path_) -> list[str]:
    """The keys a shape knows at a path, for "did you mean"."""
    here: Any = shape
    for step in path:
        if isinstance(here, type) and issubclass(here, BaseModel) and step in here.model_fields:
            here = here.model_fields[str(step)].annotation
        for inner in _models_in(here):
            here = inner
            break
    if isinstance(here, type) and issubclass(here, BaseModel):
        return [f.alias or n for n, f in here.model_fields.items()]
    return []


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    found: list[type[BaseModel]] = []
    for part in getattr(annotation, "__args__", ()):
        found += _models_in(part)
    return found


def read_yaml(path: Path, problems: Problems, *, shown: str | None = None) -> Document | None:
    """A YAML file with its lines, or None after adding a Problem."""
    return parse_yaml(path.read_text(encoding="utf-8"), shown or str(path), problems)


def parse_yaml(text: str, file: str, problems: Problems) -> Document | None:
    """YAML text with its lines. A key that stands twice is a Problem, not the last one wins."""
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        told = error.problem or error.context or "it is not YAML"
        problems.add("RS002", f"This is not YAML: {told}.", file=file, line=line)
        return None
    lines: dict[Path_, int] = {(): 1}
    before = len(problems)
    if root is not None:
        _walk(root, (), lines, file, problems)
    if len(problems) > before:
        return None
    try:
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 (a SafeLoader)
    except (yaml.YAMLError, ValueError) as error:
        problems.add("RS002", f"This is not YAML we can use: {error}.", file=file)
        return None
    return Document(file, data if data is not None else {}, lines)


class _Loader(yaml.SafeLoader):
    """Safe YAML 1.1 less its traps: `no`, `on` and 1:30 stay text, and dates stay dates."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|false|True|False)$"), list("tTfF")
)


def _walk(node: yaml.Node, path: Path_, lines: dict[Path_, int], file: str, p: Problems) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                p.add(
                    "RS009",
                    f'"{name}" stands twice in one mapping.',
                    file=file,
                    line=key.start_mark.line + 1,
                    mend="Keep one of them.",
                )
            seen.add(name)
            lines[(*path, name)] = key.start_mark.line + 1
            _walk(value, (*path, name), lines, file, p)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _walk(item, (*path, index), lines, file, p)


def read_toml(path: Path, problems: Problems, *, shown: str | None = None) -> Document | None:
    """A TOML file with the line of every table and key, or None after adding a Problem."""
    file = shown or str(path)
    text = path.read_text(encoding="utf-8")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+)", str(error))
        problems.add(
            "RS002",
            f"This is not TOML: {re.sub(r' [(]at .*', '', str(error))}.",
            file=file,
            line=int(found[1]) if found else None,
        )
        return None
    return Document(file, data, _toml_lines(text))


def _toml_lines(text: str) -> dict[Path_, int]:
    """Lines of `[table]` heads and `key = ` beginnings. tomllib keeps no positions, and the
    files are ours to shape: dotted heads and plain or quoted keys are all they hold."""
    lines: dict[Path_, int] = {(): 1}
    table: Path_ = ()
    for number, line in enumerate(text.splitlines(), start=1):
        head = re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", line)
        if head and "=" not in line.split("]")[0]:
            table = tuple(part.strip().strip("\"'") for part in head[1].split("."))
            for depth in range(1, len(table) + 1):
                lines.setdefault(table[:depth], number)
            continue
        key = re.match(r"\s*([A-Za-z0-9_.-]+|\"[^\"]+\"|'[^']+')\s*=", line)
        if key:
            parts = tuple(part.strip("\"'") for part in key[1].split("."))
            lines.setdefault((*table, *parts), number)
    return lines
