"""Authored files (YAML, TOML) read together with the line every value stands on.

A :class:`Document` holds plain data and a map from a value's path to its line. Shapes are
declared as pydantic models; what does not fit them becomes Problems at those lines.
"""

from __future__ import annotations

import codecs
import inspect
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from math import isfinite, isnan
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel, ConfigDict, RootModel, ValidationError
from pydantic.fields import FieldInfo

from riskseg.domain.problems import Problems, did_you_mean
from riskseg.domain.system_errors import read_cure
from riskseg.domain.toml_slips import slip_of
from riskseg.domain.toml_text import toml_lines
from riskseg.domain.value_hints import hint_for, space_behind_colon
from riskseg.domain.yaml_text import DEEPEST, Path_, YamlFault, cut, is_usable, read_text

M = TypeVar("M", bound=BaseModel)


class Shape(BaseModel):
    """Base of every authored shape: unknown keys are Problems, values are never coerced quietly."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True, defer_build=True
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
        enclosing_path: Path_ = tuple(path)
        while enclosing_path not in self.lines:
            if not enclosing_path:
                return None
            enclosing_path = enclosing_path[:-1]
        return self.lines[enclosing_path]

    def at(self, *path: str | int) -> dict[str, Any]:
        """The `file` and `line` of a Problem about the value at `path`."""
        return {"file": self.file, "line": self.line(*path)}

    def shaped(self, shape: type[M], problems: Problems) -> M | None:
        """The data as `shape`, or None after adding a Problem for each misfit."""
        try:
            return shape.model_validate(self.data)
        except ValidationError as error:
            self._add_problems(problems, shape, error.errors())
            return None

    def _add_problems(
        self, problems: Problems, shape: type[BaseModel], faults: Sequence[Any]
    ) -> None:
        """A Problem for each value at fault. A value that fits none of several shapes has
        a fault for each of them, at its own place or inside it: they are put together."""
        placed: dict[Path_, list[Any]] = {}
        for fault in faults:
            absent = fault["loc"][-1:] if fault["type"] == "missing" else ()
            placed.setdefault((*self._inside(fault["loc"]), *absent), []).append(fault)
        misspelt = {
            (*path[:-1], meant)
            for path, faults_at_path in placed.items()
            if faults_at_path[0]["type"] == "extra_forbidden"
            for meant in get_close_matches(str(path[-1]), _keys_at(shape, path[:-1]), n=1)
        }
        for path, faults_at_path in placed.items():
            # A needed key that stands there misspelt is one fault, not two.
            already_reported = faults_at_path[0]["type"] == "missing" and path in misspelt
            deeper = any(
                path == other_path[: len(path)] for other_path in placed if other_path != path
            )
            if not already_reported and not deeper:
                self._add(problems, shape, path, faults_at_path)

    def _inside(self, loc: Path_) -> Path_:
        """A fault's place without the names of the shapes that were tried there."""
        known_path: Path_ = ()
        for step in loc:
            if (*known_path, step) in self.lines:
                known_path = (*known_path, step)
        return known_path

    def _add(
        self, problems: Problems, shape: type[BaseModel], path: Path_, faults: list[Any]
    ) -> None:
        key_name = next(
            (str(path_part) for path_part in reversed(path) if isinstance(path_part, str)), ""
        )
        fault = faults[0]
        if fault["type"] == "extra_forbidden":
            problems.add(
                "RS003",
                f'"{cut(key_name)}" is not a key that belongs here.',
                hint=space_behind_colon(key_name)
                or did_you_mean(key_name, _keys_at(shape, path[:-1])),
                **self.at(*path),
            )
        elif fault["type"] == "missing":
            problems.add(
                "RS005",
                f'"{key_name}" is missing.',
                hint=f"Add `{key_name}: …` here.",
                **self.at(*path[:-1]),
            )
        else:
            subject = f'"{cut(key_name)}"' if key_name else "An entry" if path else "The file"
            problems.add(
                "RS004",
                f"{subject} cannot be {shown_value(fault['input'])}: {_expected(faults)}.",
                hint=hint_for(fault["input"], {fault_here["type"] for fault_here in faults}),
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
        case str():
            return repr(cut(value))
        case _:
            return cut(repr(value))


def _expected(faults: list[Any]) -> str:
    """What would have fitted, in words."""
    alternatives = []
    for fault in faults:
        alternative = fault["msg"]
        if fault["type"] == "string_pattern_mismatch" and "[a-z]" in fault["ctx"]["pattern"]:
            hyphens = "-]" in fault["ctx"]["pattern"]
            signs = "digits, underscores and hyphens" if hyphens else "digits and underscores"
            alternative = f"a name is small letters, {signs}, a letter first"
        elif fault["type"] == "literal_error":
            alternative = re.sub(r"\b(True|False)\b", lambda word: word[0].lower(), alternative)
        elif fault["type"] == "model_type":
            alternative = "it should be a mapping of keys to values"
        for pydantic_words, plain_words in _WORDS.items():
            alternative = alternative.replace(pydantic_words, plain_words)
        alternatives.append(alternative[0].lower() + alternative[1:])
    common_beginning = "it should be "
    if all(alternative.startswith(common_beginning) for alternative in alternatives):
        return common_beginning + " or ".join(
            dict.fromkeys(
                alternative.removeprefix(common_beginning) for alternative in alternatives
            )
        )
    return "; ".join(dict.fromkeys(alternatives))


def _keys_at(shape: type[BaseModel], path: Path_) -> list[str]:
    """The keys a shape knows at a path, for "did you mean"."""
    places = _alternatives(shape)
    for step in path:
        places = [found for place in places for found in _under(place, step)]
    return [
        _written(name, model_field)
        for place in places
        if isinstance(place, type) and issubclass(place, BaseModel)
        for name, model_field in place.model_fields.items()
    ]


def _alternatives(annotation: Any) -> list[Any]:
    """The shapes that a value may have, one by one."""
    if isinstance(annotation, type) and issubclass(annotation, RootModel):
        return _alternatives(annotation.model_fields["root"].annotation)
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [found for part in get_args(annotation) for found in _alternatives(part)]
    return [annotation]


def _under(place: Any, step: str | int) -> list[Any]:
    """The shapes of what stands in a value under a key, or at a place of a list."""
    if isinstance(place, type) and issubclass(place, BaseModel):
        for name, model_field in place.model_fields.items():
            if step == _written(name, model_field):
                return _alternatives(model_field.annotation)
        return _alternatives(_of_other_keys(place))
    of_lists = isinstance(step, int)
    of_mapping = get_origin(place) in (dict, Mapping)
    parts = get_args(place)[-1:] if of_mapping else get_args(place) if of_lists else ()
    return [found for part in parts for found in _alternatives(part)]


def _of_other_keys(model: type[BaseModel]) -> Any:
    """What stands under the keys of a model that are none of its fields; None where none may."""
    if "__pydantic_extra__" not in model.__annotations__:
        return None
    return get_args(inspect.get_annotations(model, eval_str=True)["__pydantic_extra__"])[1]


def _written(name: str, field: FieldInfo) -> str:
    """A field's key as a person writes it."""
    alias = field.validation_alias or field.alias
    return str(alias.choices[0] if isinstance(alias, AliasChoices) else alias or name)


def read_yaml(path: Path, problems: Problems, *, shown: str | None = None) -> Document | None:
    """A YAML file with its lines, or None after adding a Problem."""
    file = shown or str(path)
    text = _read(path, file, problems)
    return None if text is None else parse_yaml(text, file, problems)


def _read(path: Path, file: str, problems: Problems) -> str | None:
    try:
        # Some editors put a byte order mark first.
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        message = f"This cannot be read: {error.strerror or error}."
        problems.add("RS002", message, file=file, hint=read_cure(error))
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        wide = error.object.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        message = "This is UTF-16, not UTF-8 text." if wide else "This is not UTF-8 text."
        problems.add("RS002", message, file=file, line=line, hint="Save it as UTF-8.")
    return None


def parse_yaml(text: str, file: str, problems: Problems) -> Document | None:
    """YAML text with its lines. A key that occurs twice is a Problem; the last one does not win."""
    try:
        data, lines, faults = read_text(text)
    except YamlFault as whole:
        data, lines, faults = None, {}, [whole]
    for fault in faults:
        problems.add(fault.code, fault.what, file=file, line=fault.line, hint=fault.hint)
    if faults:
        return None
    blank = data is None
    return Document(file, {} if blank else data, lines, blank=blank)


def read_toml(path: Path, problems: Problems, *, shown: str | None = None) -> Document | None:
    """A TOML file with the line of every table and key, or None after adding a Problem."""
    file = shown or str(path)
    text = _read(path, file, problems)
    return None if text is None else parse_toml(text, file, problems)


def parse_toml(text: str, file: str, problems: Problems) -> Document | None:
    """TOML text with its lines. A number with a point is the decimal that was written."""
    try:
        data = tomllib.loads(text, parse_float=_decimal)
    except tomllib.TOMLDecodeError as error:
        slip = slip_of(str(error), text)
        message = f"This is not TOML: {slip.what}."
        problems.add("RS002", message, file=file, line=slip.line, hint=slip.hint)
        return None
    except RecursionError:
        problems.add("RS002", "This is nested too deeply to be read.", file=file)
        return None
    except ValueError:  # of a whole number that is longer than Python reads
        line_in_error = re.search(r"[0-9_]{4000,}", text)
        line = text.count("\n", 0, line_in_error.start() if line_in_error else 0) + 1
        problems.add("RS002", _TOO_MANY_DIGITS, file=file, line=line)
        return None
    if _is_deep(data):
        problems.add("RS002", "This is nested too deeply to be read.", file=file)
        return None
    before = len(problems)
    document = Document(file, data, toml_lines(text))
    _check_numbers(data, (), document, problems)
    return document if len(problems) == before else None


_TOO_MANY_DIGITS = "A number here has too many digits to be calculated with."


def _decimal(written: str) -> Decimal:
    try:
        return Decimal(written)
    except InvalidOperation:  # an exponent beyond what even a decimal holds
        return Decimal("1e999")


def _is_deep(data: Any) -> bool:
    """Whether data are nested deeper than any that is read. Asked without recursion."""
    values_of_level = [data]
    for _ in range(DEEPEST):
        inner: list[Any] = []
        for nested_value in values_of_level:
            if isinstance(nested_value, dict):
                inner += nested_value.values()
            elif isinstance(nested_value, list):
                inner += nested_value
        values_of_level = inner
    return bool(values_of_level)


def _check_numbers(value: Any, path: Path_, document: Document, problems: Problems) -> None:
    """A Problem for each number of more digits than are ever calculated with."""
    if isinstance(value, dict):
        for key, member in value.items():
            _check_numbers(member, (*path, key), document, problems)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            _check_numbers(member, (*path, index), document, problems)
    elif isinstance(value, Decimal) and not value.is_finite():
        return  # of `inf` and `nan` the shape says more
    elif isinstance(value, Decimal | int) and not is_usable(Decimal(value)):
        problems.add("RS002", _TOO_MANY_DIGITS, **document.at(*path))
