"""YAML text as plain data, with the line every value stands on.

What is read is YAML 1.2 with dates, and less than that: no tags, no merging of keys, every key
is text. `010` is ten, `0x10`, `1_000`, `1:30`, `yes` and `no` are texts. Numbers are those that
can be held to the last digit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import yaml
from yaml.composer import Composer

from riskseg.domain.quotes import is_in_curly_quotes
from riskseg.domain.yaml_slips import hint_of_tag, slip_of

Path_ = tuple[str | int, ...]

# Authored files hold tables of rows, not trees; nothing is ever this deep.
DEEPEST = 50
# Values that aliases may repeat, beside those that are written out.
_MOST_REPEATED = 100_000
# Digits of a number before the point, and after it.
_MOST_DIGITS = 18

_INTEGER = re.compile(r"[-+]?[0-9]+")
_DIGITS = re.compile(r"[0-9]+")
# What stands before the digits behind a decimal comma: the value of a key.
_BEFORE_COMMA = re.compile(r":[ \t]*([-+]?[0-9]+),$")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# A number sign behind a text begins a comment, where the author may have meant a number.
_NUMBER_SIGN = re.compile(r"[ \t]+#[0-9]")
_QUOTES = "Put quotes around it if it is a text."


class YamlFault(Exception):
    """Why a text cannot be used: the code of a Problem, what is wrong, its line, a hint."""

    def __init__(self, code: str, what: str, line: int | None = None, hint: str = "") -> None:
        super().__init__(what)
        self.code, self.what, self.line, self.hint = code, what, line, hint


def read_text(text: str) -> tuple[Any, dict[Path_, int], list[YamlFault]]:
    """The data, the lines of its values by path, and keys that cannot stay (the data are of no use
    then). Raises YamlFault for a text that is no YAML or holds what is not used here."""
    try:
        root = _composed(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"This is not YAML: the character U+{ord(text[error.position]):04X} stands in it."
        raise YamlFault("RS002", message, line, "Remove it.") from error
    except yaml.MarkedYAMLError as error:
        slip = slip_of(error, text)
        raise YamlFault("RS002", f"This is not YAML: {slip.what}.", slip.line, slip.hint) from error
    except yaml.YAMLError as error:
        raise YamlFault("RS002", f"This is not YAML: {error}.") from error
    walk = _Walk(text)
    return (None if root is None else walk.value(root, ())), walk.lines, walk.faults


def exactly(number: str) -> Decimal | None:
    """A number as written, or None where it has more digits than are ever calculated with."""
    try:
        exact = Decimal(number)
    except InvalidOperation:
        return None
    return exact if is_usable(exact) else None


def is_usable(number: Decimal) -> bool:
    """Whether a number is finite and of no more digits than are ever calculated with."""
    if not number.is_finite():
        return False
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    small = number.is_zero() or number.adjusted() < _MOST_DIGITS
    return small and -_MOST_DIGITS <= exponent <= _MOST_DIGITS


class Dumper(yaml.SafeDumper):
    """Writes texts so that they are read here as the texts they are."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    others = (_NUMBER, _NO_NUMBER, _DATE)
    plain = text not in {*_WORDS, "<<"} and not any(other.fullmatch(text) for other in others)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else "'")


Dumper.add_representer(str, _text)


def inline(value: Any) -> str:
    """A value as it is written in a list or mapping of one line, in quotes where it needs them."""
    flow_text = yaml.dump(
        [value], Dumper=Dumper, default_flow_style=True, width=10**9, allow_unicode=True
    )
    return flow_text.strip()[1:-1]


class _Walk:
    """One passage over the nodes of a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        # Every value that is written out takes a character or a sign beside it.
        self._left = len(text) + _MOST_REPEATED
        self.lines: dict[Path_, int] = {(): 1}
        self.faults: list[YamlFault] = []

    def value(self, node: yaml.Node, path: Path_) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        self._left -= 1
        if self._left < 0:
            raise YamlFault("RS002", "Aliases make this too large to be read.", line)
        if len(path) > DEEPEST:
            raise _too_deep(line)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, i)) for i, item in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)
        if node.style:
            return node.value
        return self._plain(node.value, line, node.end_mark.index)

    def _mapping(self, node: yaml.MappingNode, path: Path_) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key, value_node in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise YamlFault("RS002", "A list or mapping cannot be a key.", line, _QUOTES)
            key_text: str = key.value
            if number := self._decimal_comma(key, value_node):
                message = f'"{number}" is a number with a decimal comma.'
                hint = f"Write {number.replace(',', '.')}."
                raise YamlFault("RS004", message, line, hint)
            if key_text == "<<" and not key.style:
                message = "Keys are not merged with `<<`."
                self.faults.append(YamlFault("RS002", message, line, "Write the keys out."))
            elif key_text in data:
                message = f'"{cut(key_text)}" occurs twice in one mapping.'
                self.faults.append(YamlFault("RS009", message, line, "Keep one of them."))
            self.lines[(*path, key_text)] = line
            data[key_text] = self.value(value_node, (*path, key_text))
        return data

    def _decimal_comma(self, key: yaml.ScalarNode, value: yaml.Node) -> str | None:
        """The number that a key of digits is the end of: YAML reads `{low: 0,05}` as a key `low`
        and a key `05` without a value."""
        has_value = not isinstance(value, yaml.ScalarNode) or value.style or value.value
        if key.style or has_value or not _DIGITS.fullmatch(key.value):
            return None
        before = _BEFORE_COMMA.search(self._text, key.start_mark.index - 20, key.start_mark.index)
        return None if before is None else f"{before[1]},{key.value}"

    def _plain(self, text: str, line: int, end: int) -> Any:
        """What a text without quotes stands for."""
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text):
            if len(text.lstrip("+-0")) > _MOST_DIGITS:
                raise _too_many_digits(text, line)
            return int(text)
        if _NUMBER.fullmatch(text):
            exact = exactly(text)
            if exact is None:
                raise _too_many_digits(text, line)
            # As the shapes of documents like it, unless that would be another number.
            return float(exact) if Decimal(repr(float(exact))) == exact else exact
        if _NO_NUMBER.fullmatch(text):
            return float(text.replace(".", "").lower())
        if _DATE.fullmatch(text):
            try:
                return date.fromisoformat(text)
            except ValueError as error:
                message = f'"{text}" is not a day of the calendar.'
                hint = "Correct the date, or put quotes around a text."
                raise YamlFault("RS002", message, line, hint) from error
        if is_in_curly_quotes(text):
            message = f"The quotation marks of {cut(text)} are those of a word processor."
            hint = "Write straight ones, or none."
            raise YamlFault("RS002", message, line, hint)
        if _NUMBER_SIGN.match(self._text, end):
            message = f'What follows "{cut(text)}" is a comment, because it begins with "#".'
            hint = "Put quotes around the whole text, or a space behind the #."
            raise YamlFault("RS002", message, line, hint)
        return text


def cut(text: str) -> str:
    """A text for a message: not too long."""
    return text if len(text) <= 60 else f"{text[:60]}…"


def _too_many_digits(text: str, line: int) -> YamlFault:
    message = f'This is not YAML we can use: "{cut(text)}" has too many digits for a number.'
    return YamlFault("RS002", message, line, _QUOTES)


def _too_deep(line: int | None) -> YamlFault:
    return YamlFault("RS002", "This is nested too deeply to be read.", line)


class _Composing:
    """Nodes are put together in Python, where depth can be counted: in C, a file nested too
    deeply would end the process. What they stand for, :class:`_Walk` says."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[attr-defined]
        line = event.start_mark.line + 1
        if (tag := getattr(event, "tag", None)) is not None:
            tag_text = tag.replace("tag:yaml.org,2002:", "!!").rstrip(",")
            message = f'This is not YAML we can use: "{cut(tag_text)}" is a tag.'
            raise YamlFault("RS002", message, line, hint_of_tag(tag_text))
        if self._depth > DEEPEST:
            raise _too_deep(line)
        self._depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)  # type: ignore[misc]
        self._depth -= 1
        return node

    def descend_resolver(self, node: Any, index: Any) -> None: ...

    def ascend_resolver(self) -> None: ...

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        return ""


class _Pure(_Composing, yaml.SafeLoader):
    """PyYAML's own reader."""


if yaml.__with_libyaml__:

    class _Fast(_Composing, Composer, yaml.CSafeLoader):
        """The same by libyaml."""

        def __init__(self, text: str) -> None:
            yaml.CSafeLoader.__init__(self, text)
            Composer.__init__(self)


# Where libyaml may read otherwise than the pure reader: tags, question marks in lists, comments
# hard behind | and >, tabs, other ends of lines than \n, and what is no text.
_ODD = re.compile(
    r"[!?]|[|>][-+0-9]*\#|[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]"
)


@lru_cache(maxsize=64)
def _composed(text: str) -> yaml.Node | None:
    """The nodes of YAML text; nobody changes them. libyaml takes a third of the time, where PyYAML
    was built with it; what it refuses is for the pure reader to judge, so that the words and lines
    of a Problem are the same everywhere."""
    if yaml.__with_libyaml__ and not _ODD.search(text):
        with suppress(yaml.YAMLError):
            return _Fast(text).get_single_node()
    return _Pure(text).get_single_node()
