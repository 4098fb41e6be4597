"""Authored files (YAML, TOML) read together with the line every value stands on.

A :class:`Document` holds plain data and a map from a value's path to its line. Shapes are
declared as pydantic models; what does not fit them becomes Problems at those lines.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from math import isfinite, isnan
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import AliasChoices, BaseModel, ConfigDict, RootModel, ValidationError
from pydantic.fields import FieldInfo
from yaml.composer import Composer

from riskseg.domain.problems import Problems, did_you_mean

Path_ = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)


class Shape(BaseModel):
    """Base of every authored shape: unknown keys are Problems, values are never coerced quietly."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True
    )


@dataclass(frozen=True)
class Document:
    """An authored file: its name as a person would write it, its data, its lines. `blank` where
    it holds nothing but comments; the data are an empty mapping then."""

    file: str
    data: Any
    lines: Mapping[Path_, int]
    blank: bool = field(default=False, kw_only=True)

    def line(self, *path: str | int) -> int | None:
        """The line of the value at `path`, or of the nearest thing that encloses it."""
        here: Path_ = tuple(path)
        while here not in self.lines:
            if not here:
                return None
            here = here[:-1]
        return self.lines[here]

    def at(self, *path: str | int) -> dict[str, Any]:
        """The `file` and `line` of a Problem about the value at `path`."""
        return {"file": self.file, "line": self.line(*path)}

    def shaped(self, shape: type[M], problems: Problems) -> M | None:
        """The data as `shape`, or None after adding a Problem for each misfit."""
        try:
            return shape.model_validate(self.data)
        except ValidationError as error:
            self._tell(problems, shape, error.errors())
            return None

    def _tell(self, problems: Problems, shape: type[BaseModel], faults: Sequence[Any]) -> None:
        """A Problem for each value at fault. One that fits none of several shapes is told of by
        a fault for each of them, at its own place or inside it: they are put together."""
        placed: dict[Path_, list[Any]] = {}
        for fault in faults:
            absent = fault["loc"][-1:] if fault["type"] == "missing" else ()
            placed.setdefault((*self._inside(fault["loc"]), *absent), []).append(fault)
        misspelt = {
            (*path[:-1], meant)
            for path, here in placed.items()
            if here[0]["type"] == "extra_forbidden"
            for meant in get_close_matches(str(path[-1]), _keys_at(shape, path[:-1]), n=1)
        }
        for path, here in placed.items():
            # A needed key that stands there misspelt is one fault, not two.
            told = here[0]["type"] == "missing" and path in misspelt
            deeper = any(path == other[: len(path)] for other in placed if other != path)
            if not told and not deeper:
                self._add(problems, shape, path, here)

    def _inside(self, loc: Path_) -> Path_:
        """A fault's place without the names of the shapes that were tried there."""
        here: Path_ = ()
        for step in loc:
            if (*here, step) in self.lines:
                here = (*here, step)
        return here

    def _add(
        self, problems: Problems, shape: type[BaseModel], path: Path_, faults: list[Any]
    ) -> None:
        name = next((str(p) for p in reversed(path) if isinstance(p, str)), "")
        fault = faults[0]
        if fault["type"] == "extra_forbidden":
            problems.add(
                "RS003",
                f'"{name}" is not a key that belongs here.',
                mend=did_you_mean(name, _keys_at(shape, path[:-1])),
                **self.at(*path),
            )
        elif fault["type"] == "missing":
            problems.add(
                "RS005",
                f'"{name}" is missing.',
                mend=f"Add `{name}: …` here.",
                **self.at(*path[:-1]),
            )
        else:
            subject = f'"{name}"' if name else "An entry" if path else "The file"
            problems.add(
                "RS004",
                f"{subject} cannot be {shown_value(fault['input'])}: {_expected(faults)}.",
                **self.at(*path),
            )


# The validator's words, and what people who write these files call the same thing.
_WORDS = {
    "Value error, ": "",
    "Input should": "it should",
    "String should": "it should",
    "a valid string": "text",
    "a valid boolean": "true or false",
    "a valid integer": "a whole number",
    "a valid number": "a number",
    "an instance of Decimal": "a number",
    "a valid tuple": "a list",
    "a valid list": "a list",
    "a valid dictionary": "a mapping of keys to values",
    "a valid date": "a date",
    "greater than or equal to": "at least",
    "less than or equal to": "at most",
}


def shown_value(value: Any) -> str:
    """A value that does not fit, as its file shows it."""
    match value:
        case None:
            return "empty"
        case dict():
            return "a mapping of keys to values"
        case list():
            return "a list"
        case bool():
            return str(value).lower()
        case float() | Decimal() if not isfinite(value):
            return ".nan" if isnan(value) else ".inf" if value > 0 else "-.inf"
        case date() | int() | Decimal():
            return str(value)
        case bytes() | set():
            return "binary data" if isinstance(value, bytes) else "a set"
        case _:
            return repr(value)


def _expected(faults: list[Any]) -> str:
    """What would have fitted, in words."""
    told = []
    for fault in faults:
        text = fault["msg"]
        if fault["type"] == "string_pattern_mismatch" and "[a-z]" in fault["ctx"]["pattern"]:
            hyphens = "-]" in fault["ctx"]["pattern"]
            signs = "digits, underscores and hyphens" if hyphens else "digits and underscores"
            text = f"a name is small letters, {signs}, a letter first"
        elif fault["type"] == "model_type":
            text = "it should be a mapping of keys to values"
        for said, meant in _WORDS.items():
            text = text.replace(said, meant)
        told.append(text[0].lower() + text[1:])
    head = "it should be "
    if all(text.startswith(head) for text in told):
        return head + " or ".join(dict.fromkeys(text.removeprefix(head) for text in told))
    return "; ".join(dict.fromkeys(told))


def _keys_at(shape: type[BaseModel], path: Path_) -> list[str]:
    """The keys a shape knows at a path, for "did you mean"."""
    here: Any = shape
    for step in path:
        # A place in a list, or a name that a person chose, is no field: its shape is below it.
        for model in _models_in(here):
            fields = {_written(n, f): f for n, f in model.model_fields.items()}
            if step in fields:
                here = fields[str(step)].annotation
                break
    return [_written(n, f) for m in _models_in(here)[:1] for n, f in m.model_fields.items()]


def _written(name: str, field: FieldInfo) -> str:
    """A field's key as a person writes it."""
    alias = field.validation_alias or field.alias
    return str(alias.choices[0] if isinstance(alias, AliasChoices) else alias or name)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, RootModel):
        return _models_in(annotation.model_fields["root"].annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    found: list[type[BaseModel]] = []
    for part in getattr(annotation, "__args__", ()):
        found += _models_in(part)
    return found


def read_yaml(path: Path, problems: Problems, *, shown: str | None = None) -> Document | None:
    """A YAML file with its lines, or None after adding a Problem."""
    file = shown or str(path)
    text = _read(path, file, problems)
    return None if text is None else parse_yaml(text, file, problems)


def _read(path: Path, file: str, problems: Problems) -> str | None:
    try:
        # Some editors put a byte order mark first.
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        mend = "Save it as UTF-8."
        problems.add("RS002", "This is not UTF-8 text.", file=file, line=line, mend=mend)
        return None


def parse_yaml(text: str, file: str, problems: Problems) -> Document | None:
    """YAML text with its lines. A key that stands twice is a Problem, not the last one wins."""
    before = len(problems)
    lines: dict[Path_, int] = {(): 1}
    data = None
    try:
        loader, root = _composed(text)
        if root is not None:
            _walk(root, (), lines, file, problems)
            if len(problems) == before:
                data = loader.construct_document(root)
    except _UnusableError as error:
        mark, mend = error.problem_mark, error.mend
        line = mark.line + 1 if mark else None
        told = f"This is not YAML we can use: {error.problem}."
        problems.add("RS002", told, file=file, line=line, mend=mend)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        told = f"This is not YAML: the character U+{ord(text[error.position]):04X} stands in it."
        problems.add("RS002", told, file=file, line=line, mend="Remove it.")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        told = error.problem or error.context or "it is not YAML"
        begun = error.context_mark.line + 1 if error.context_mark else line
        if begun != line:
            told += f", in what begins on line {begun}"
        problems.add("RS002", f"This is not YAML: {told}.", file=file, line=line)
    except RecursionError:
        problems.add("RS002", "This is nested too deeply to be read.", file=file)
    except (yaml.YAMLError, ValueError) as error:
        problems.add("RS002", f"This is not YAML we can use: {error}.", file=file)
    if len(problems) > before:
        return None
    blank = data is None
    return Document(file, {} if blank else data, lines, blank=blank)


class _UnusableError(yaml.constructor.ConstructorError):
    """A value that looks like a date or number and is none, with its place."""

    def __init__(self, problem: str, mark: yaml.Mark, mend: str) -> None:
        super().__init__(None, None, problem, mark)
        self.mend = mend


class _Located:
    """Of a value that cannot be made, PyYAML itself says only what Python said."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)  # type: ignore[misc]
        except ValueError as error:
            told, mend = "is no number that can be read", "Put quotes around it if it is a text."
            if node.tag.endswith(":timestamp"):
                told, mend = (
                    f"is no date: {error}",
                    "Write a day there is, or quotes around a text.",
                )
            told = f'"{_cut(str(node.value))}" {told}'
            raise _UnusableError(told, node.start_mark, mend) from error


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"


class _Loader(_Located, yaml.SafeLoader):
    """Safe YAML 1.1 less its traps: `no`, `on` and 1:30 stay text, and dates stay dates."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|false|True|False)$"), list("tTfF")
)


if yaml.__with_libyaml__:

    class _Fast(_Located, Composer, yaml.CSafeLoader):
        """The same by libyaml. Nodes are put together here all the same: in C, a file nested too
        deeply would end the process."""

        yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers

        def __init__(self, text: str) -> None:
            yaml.CSafeLoader.__init__(self, text)
            Composer.__init__(self)


# Where libyaml may read otherwise than the pure reader: tags, question marks in lists, comments
# hard behind | and >, tabs, other ends of lines than \n, and what is no text.
_ODD = re.compile(
    r"[!?]|[|>][-+0-9]*\#|[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]"
)


def _composed(text: str) -> tuple[Any, yaml.Node | None]:
    """The loader that makes data of YAML text, and its nodes. libyaml takes a third of the time,
    where PyYAML was built with it; what it refuses is for the pure reader to judge, so that the
    words and lines of a Problem are the same everywhere."""
    if yaml.__with_libyaml__ and not _ODD.search(text):
        with suppress(yaml.YAMLError):
            fast = _Fast(text)
            return fast, fast.get_single_node()
    loader = _Loader(text)
    return loader, loader.get_single_node()


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
    text = _read(path, file, problems)
    if text is None:
        return None
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
