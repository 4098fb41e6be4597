"""What riskseg.toml may say in SQL: one select over files, or one expression over its columns.

Both are judged by the engine's own syntax tree, so that what is allowed is what is carried out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from riskseg.domain.facts import folded

Tree = Mapping[str, Any]

# Functions that read files, which are their first argument; and those that make rows of nothing.
_READERS = {
    "read_csv",
    "read_csv_auto",
    "read_json",
    "read_json_auto",
    "read_ndjson",
    "read_ndjson_auto",
    "read_parquet",
    "parquet_scan",
}
_MAKERS = {"range", "generate_series", "unnest"}
_ENDING = re.compile(r"\.(csv|tsv|txt|parquet|pq|json|jsonl|ndjson)(\.gz|\.zst)?$", re.IGNORECASE)
# A text or a quoted name, as bytes of the statement.
_QUOTED = re.compile(rb"'(?:[^']|'')*'" + rb'|"(?:[^"]|"")*"')


class NotAllowedError(Exception):
    """SQL that a `from` or a mapping may not hold; says what."""


class NoTableError(NotAllowedError):
    """A select names a table that is no file."""


@dataclass(frozen=True, slots=True)
class Named:
    """A file name or glob in a select, and which bytes of its text spell it: a table, the
    argument of a function, or an item of a list that is one."""

    name: str
    start: int
    end: int
    place: Literal["table", "argument", "item"]


def files_named(text: str, tree: Tree) -> list[Named]:
    """The files that a select reads, in the order of its text. Raises NotAllowedError where it
    reads anything else."""
    content = text.encode()
    nodes = list(_nodes(tree))
    own = {folded(e["key"]) for n in nodes if "cte_map" in n for e in n["cte_map"]["map"]}
    own |= {folded(n["cte_name"]) for n in nodes if "cte_name" in n}
    found: list[Named] = []
    for node in nodes:
        match node.get("type"):
            case "TABLE_FUNCTION":
                found += _of_function(node["function"], content)
            case "BASE_TABLE" if "table_name" in node:
                path = node["qualified_name"]["path"]
                if len(path) == 1 and folded(path[0]) in own:
                    continue
                if len(path) > 1 or not _ENDING.search(path[0]):
                    raise NoTableError(f'"{".".join(path)}" is no file, and nothing it names')
                found.append(_named(path[0], node, content, "table"))
            case "SHOW_REF":
                raise NotAllowedError("it describes, and selects nothing")
    return sorted(found, key=lambda n: n.start)


def _of_function(function: Tree, content: bytes) -> list[Named]:
    name = function["function_name"].lower()
    if name in _MAKERS:
        return []
    if name not in _READERS:
        known = ", ".join(sorted(_READERS))
        raise NotAllowedError(f"`{name}` is none of the functions that read a source: {known}")
    given = [a["expression"] for a in function["arguments"] if not a["name"]]
    files = [e for e in given if e["class"] != "COMPARISON"]
    first = files[0] if len(files) == 1 else {}
    place: Literal["argument", "item"] = "argument"
    items = [first]
    if first.get("function_name") == "list_value":
        place, items = "item", [a["expression"] for a in first["arguments"]]
    found = []
    for item in items:
        if item.get("class") != "CONSTANT" or item["literal"].get("kind") != "STRING":
            raise NotAllowedError(f"`{name}` reads what is not named by a text, or a list of texts")
        found.append(_named(item["literal"]["text"], item, content, place))
    return found


def _named(
    name: str, node: Tree, content: bytes, place: Literal["table", "argument", "item"]
) -> Named:
    start = node["query_location"]
    spelt = _QUOTED.match(content, start) if start < len(content) else None
    if spelt:
        quote = spelt[0][:1]
        if spelt[0][1:-1].replace(quote * 2, quote) == name.encode():
            return Named(name, start, spelt.end(), place)
    raise NotAllowedError(f'the file name "{name}" does not stand in plain quotes')


def with_files(text: str, named: list[Named], files: Callable[[Named], list[str]]) -> str:
    """The select with SQL literals for the names in it: as many as `files` gives for each."""
    content = text.encode()
    for one in reversed(named):
        literals = files(one)
        put = ", ".join(literals)
        if len(literals) > 1 and one.place != "item":
            put = f"[{put}]" if one.place == "argument" else f"{reader(one.name)}([{put}])"
        content = content[: one.start] + put.encode() + content[one.end :]
    return content.decode()


def reader(name: str) -> str:
    """The function that reads a file of this ending; nothing where none does."""
    ending = _ENDING.search(name)
    word = ending[1].lower() if ending else ""
    forms = {"parquet": "read_parquet", "pq": "read_parquet", "json": "read_json"}
    forms |= {"jsonl": "read_json", "ndjson": "read_json"}
    return forms.get(word, "read_csv") if word else ""


def check_expression(tree: Tree) -> tuple[frozenset[str], bool]:
    """The names of the columns that an expression reads, and whether it is a bare column; `tree` is
    that of a select of it. Raises NotAllowedError where there is more, or another select in it."""
    rest = ("where_clause", "group_expressions", "having", "qualify", "sample", "modifiers")
    alone = (
        tree["type"] == "SELECT_NODE"
        and len(tree["select_list"]) == 1
        and not tree["select_list"][0]["alias"]
        and tree["from_table"]["type"] == "EMPTY"
        and not any(tree[key] for key in rest)
        and not tree["cte_map"]["map"]
    )
    if not alone:
        raise NotAllowedError("it is more than one expression")
    whole = tree["select_list"][0]
    names: set[str] = set()
    for node in _nodes(whole):
        if "subquery" in node:
            raise NotAllowedError("it holds a select")
        match node.get("class"):
            case "STAR":
                raise NotAllowedError("it stands for several columns")
            case "PARAMETER" | "POSITIONAL_REFERENCE":
                raise NotAllowedError("it reads what has no name")
            case "FUNCTION" if node["function_name"].lower() == "unnest":
                raise NotAllowedError("it makes several rows of one")
            case "COLUMN_REF":
                names |= {folded(name) for name in node["column_names"]}
    return frozenset(names), whole["class"] == "COLUMN_REF"


def _nodes(tree: Any) -> Iterator[Tree]:
    """Every node of a tree; not by recursion, for a text can nest deeper than that."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            yield node
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
