"""The YAML an import writes: one row a line, in columns, and the comments of the file before."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import yaml

from riskseg.domain.documents import Document, parse_yaml
from riskseg.domain.problems import Problems
from riskseg.domain.yaml_text import Dumper, Path_

# Rows are aligned where that keeps them on a screen.
_WIDTH = 120
Key = tuple[str | int, ...]

# The same tokens, ten times as fast, where PyYAML was built with libyaml.
_SCANNER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Laid:
    """A file's new text, and how many comments of the old one found no place in it."""

    content: bytes
    comments_lost: int


def segments_yaml(data: Any, old: str) -> Laid:
    """segments.yaml with these rows; `old` is its text before, for the comments."""
    comments = _comments(
        old, lambda document: _keys(document.data.get("rows", []), ("rows",), "id")
    )
    lines = [*comments.head, *_table_lines(data, ("id", "segment"), (), comments)]
    return _whole(lines, comments, data)


def _table_lines(
    data: Any, names: tuple[str, ...], path: tuple[str, ...], comments: _Comments
) -> list[str]:
    """A decision table that stands at `path`. `names` are the keys of a row beside its cells: the
    last is its result, which stands behind them, and its id, where it has one, before."""
    *before, result = names
    indent = "  " * len(path)
    lines = comments.line((*path, "columns"), f"{indent}columns: {_flow(data['columns'])}")
    rows = data["rows"]
    lines += comments.line((*path, "rows"), f"{indent}rows:{'' if rows else ' []'}")
    cells = [[_flow(cell) for cell in row["match"]] for row in rows]
    columns = list(zip(*cells, strict=True))
    aligned = [_even([f"{cell}," for cell in column]) for column in columns[:-1]]
    aligned += [list(column) for column in columns[-1:]]
    even_matches = _even(["[" + " ".join(row) + "]," for row in zip(*aligned, strict=True)])
    ids = _even(["".join(f"{key}: {_flow(row[key])}, " for key in before)[:-1] for row in rows])
    results = [f"{result}: {_flow(row[result])}" for row in rows]
    row_lines = [
        f"{indent}  - {{{f'{row_id} ' if before else ''}match: {match} {row_result}}}"
        for row_id, match, row_result in zip(ids, even_matches, results, strict=False)
    ]
    if len(row_lines) < len(rows) or any(len(line) > _WIDTH for line in row_lines):
        matches = ["[" + ", ".join(row) + "]," for row in cells]
        row_lines = [
            f"{indent}  - {{{f'{row_id} ' if before else ''}match: {match} {row_result}}}"
            for row_id, match, row_result in zip(ids, matches, results, strict=True)
        ]
    row_keys = _keys(rows, (*path, "rows"), names[0]).values()
    for key, line in zip(row_keys, row_lines, strict=True):
        lines += comments.line(key, line)
    return lines


def tiers_yaml(data: Any, old: str) -> Laid:
    """tiers.yaml with these schemes."""

    def keys(document: Document) -> dict[Path_, Key]:
        key_by_path: dict[Path_, Key] = {}
        for scheme_name, scheme in document.data.items():
            rows: Any = scheme
            path: Path_ = (scheme_name,)
            if isinstance(scheme, dict):
                rows, path = scheme["rows"], (scheme_name, "rows")
                key_by_path |= {(scheme_name, key): (scheme_name, key) for key in scheme}
            key_by_path |= {(scheme_name,): (scheme_name,), **_keys(rows, path, "tier")}
        return key_by_path

    comments = _comments(old, keys)
    lines = list(comments.head)
    for scheme_index, (scheme_name, rows) in enumerate(data.items()):
        lines += [""] if scheme_index else []
        scheme_line = f"{_flow(scheme_name)}:" if rows else f"{_flow(scheme_name)}: []"
        lines += comments.line((scheme_name,), scheme_line)
        if isinstance(rows, dict):
            lines += _table_lines(rows, ("tier",), (scheme_name,), comments)
            continue
        tiers = _even([_flow(row["tier"]) + "," for row in rows])
        row_keys = _keys(rows, (scheme_name,), "tier").values()
        for key, tier, row in zip(row_keys, tiers, rows, strict=True):
            other_entries = [
                f"{key_}: {_flow(value)}" for key_, value in row.items() if key_ != "tier"
            ]
            lines += comments.line(key, f"  - {{tier: {tier} {', '.join(other_entries)}}}")
    return _whole(lines, comments, data)


def _whole(lines: list[str], comments: _Comments, data: Any) -> Laid:
    text = "\n".join([*lines, *comments.tail]) + "\n"
    parsed = parse_yaml(text, "what was laid out", Problems())
    assert parsed is not None and parsed.data == data, "the YAML does not say what the sheet said"
    return Laid(text.encode(), comments.count - comments.kept)


@lru_cache(maxsize=100_000)
def _scalar(value: str) -> str:
    # Folding and quoting are YAML's business; inside a flow, on one line.
    style = None if value.isprintable() else '"'
    scalar_text: str = yaml.dump(
        [value],
        Dumper=Dumper,
        default_flow_style=True,
        default_style=style,
        width=float("inf"),
        allow_unicode=True,
    )
    return scalar_text.strip()[1:-1]


def _flow(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else _scalar(value)


def _even(texts: Sequence[str]) -> list[str]:
    widest = max(map(len, texts), default=0)
    return [text.ljust(widest) for text in texts]


def _keys(rows: Any, path: Path_, name: str) -> dict[Path_, Key]:
    """What a row goes by, wherever it stands: its id or tier, counted where that stands twice."""
    times_seen: dict[str, int] = {}
    key_by_path: dict[Path_, Key] = {}
    for i, row in enumerate(rows):
        times_seen[row[name]] = nth = times_seen.get(row[name], 0) + 1
        key_by_path[(*path, i)] = (*path, str(row[name]), nth)
    return key_by_path


@dataclass
class _Comments:
    """The comments of a file: its head, its tail, and those above or behind what a key names."""

    head: list[str] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)
    above: dict[Key, list[str]] = field(default_factory=dict)
    behind: dict[Key, str] = field(default_factory=dict)
    count: int = 0
    kept: int = 0

    def line(self, key: Key, line: str) -> list[str]:
        """A line that `key` names, with its comments."""
        comment_above, comment_behind = self.above.pop(key, []), self.behind.pop(key, "")
        self.kept += len(comment_above) + bool(comment_behind)
        indent = re.match(r" *", line)
        assert indent is not None
        return [
            *(indent[0] + comment for comment in comment_above),
            f"{line}  {comment_behind}" if comment_behind else line,
        ]


def _comments(old: str, keys: Callable[[Document], dict[Path_, Key]]) -> _Comments:
    comments = _Comments()
    old_lines = old.splitlines()
    # A head stays whatever follows, even where the rest is no YAML.
    body_start = next(
        (
            line_index
            for line_index, line_ in enumerate(old_lines)
            if line_.strip() and not line_.startswith("#")
        ),
        len(old_lines),
    )
    comments.head = old_lines[:body_start]
    if not any("#" in line for line in old_lines[body_start:]):
        return comments
    document = parse_yaml(old, "", Problems())
    if document is None or not isinstance(document.data, dict):
        return comments
    try:
        key_of_path = keys(document)
    except (AttributeError, KeyError, TypeError):
        key_of_path = {}  # the old file is of another shape: nothing goes by a name
    key_of_path |= {("columns",): ("columns",), ("rows",): ("rows",)}
    key_by_line = {
        document.lines[path]: key
        for path, key in reversed(key_of_path.items())
        if path in document.lines
    }
    end_columns = _ends(old)
    comments_above: list[str] = []
    for line_number, line in enumerate(old_lines[body_start:], start=body_start + 1):
        after_text = line[end_columns.get(line_number, 0) :].strip()
        if after_text.startswith("#"):
            comments.count += 1
        if line_number not in end_columns:
            comments_above += [after_text] if after_text.startswith("#") else []
            continue
        if key := key_by_line.get(line_number):
            comments.above[key] = comments_above
            if after_text.startswith("#"):
                comments.behind[key] = after_text
        comments_above = []
    comments.tail = comments_above
    comments.kept = len(comments_above)
    return comments


def _ends(text: str) -> dict[int, int]:
    """For each line with something on it besides a comment, the column where that ends."""
    end_by_line: dict[int, int] = {}
    for token in yaml.scan(text, Loader=_SCANNER):
        start, end = token.start_mark, token.end_mark
        if (start.line, start.column) == (end.line, end.column):
            continue
        for line in range(start.line + 1, end.line + 1):
            end_by_line[line] = 1 << 30  # the text goes on below: no comment can stand here
        end_by_line[end.line + 1] = max(end_by_line.get(end.line + 1, 0), end.column)
    return end_by_line
