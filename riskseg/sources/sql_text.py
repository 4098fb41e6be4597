"""What riskseg.toml may say in SQL: one select over files, or one expression over its columns.

Both are judged by the engine's own syntax tree, so that what is allowed is what is carried out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from riskseg.domain.facts import folded
from riskseg.domain.relations import quoted

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
# Brackets, and what may hold some that are none: texts, quoted names, comments.
_BRACKETS = re.compile(_QUOTED.pattern + rb"|--[^\n]*|/\*.*?\*/|[()]", re.DOTALL)


class NotAllowedError(Exception):
    """SQL that a `from` or a mapping may not hold; says what."""


class NoTableError(NotAllowedError):
    """A select names a table that is no file."""


@dataclass(frozen=True, slots=True)
class Call:
    """A function in a select that reads files: the place of the bracket that closes it, and the
    options that are stated in it, with their values where those are texts."""

    function: str
    close: int
    options: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Named:
    """A file name or glob in a select, and which bytes of its text spell it: a table, the
    argument of a function, or an item of a list that is one. `call` is that function; a table
    `has_alias` where the select gives it another name than the file's."""

    name: str
    start: int
    end: int
    place: Literal["table", "argument", "item"]
    call: Call | None = None
    has_alias: bool = False


def files_named(text: str, tree: Tree) -> list[Named]:
    """The files that a select reads, in the order of its text. Raises NotAllowedError where it
    reads anything else."""
    content = text.encode()
    nodes = list(_nodes(tree))
    own_tables = {
        folded(cte_entry["key"])
        for node_ in nodes
        if "cte_map" in node_
        for cte_entry in node_["cte_map"]["map"]
    }
    own_tables |= {folded(node_["cte_name"]) for node_ in nodes if "cte_name" in node_}
    named_files: list[Named] = []
    for node in nodes:
        match node.get("type"):
            case "TABLE_FUNCTION":
                close = _closing_bracket(content, node["query_location"])
                named_files += _of_function(node["function"], close, content)
            case "BASE_TABLE" if "table_name" in node:
                name_path = node["qualified_name"]["path"]
                if len(name_path) == 1 and folded(name_path[0]) in own_tables:
                    continue
                if len(name_path) > 1 or not _ENDING.search(name_path[0]):
                    raise NoTableError(
                        f'"{".".join(name_path)}" is neither a file nor a part of the select'
                    )
                table = _named(name_path[0], node, content, "table")
                named_files.append(replace(table, has_alias=bool(node["alias"])))
            case "SHOW_REF":
                raise NotAllowedError("it describes, and selects nothing")
    return sorted(named_files, key=lambda node_: node_.start)


def _closing_bracket(content: bytes, start: int) -> int:
    """Where the bracket stands that ends the call which begins at `start`; behind the text where
    none does. The location that the engine gives ends behind an alias."""
    depth = 0
    for part in _BRACKETS.finditer(content, start):
        depth += {b"(": 1, b")": -1}.get(part[0], 0)
        if part[0] == b")" and depth == 0:
            return part.start()
    return len(content)


def _of_function(function: Tree, close: int, content: bytes) -> list[Named]:
    reader_name = function["function_name"].lower()
    if reader_name in _MAKERS:
        return []
    if reader_name not in _READERS:
        known_readers = ", ".join(sorted(_READERS))
        raise NotAllowedError(
            f"`{reader_name}` is not one of the functions that read a source: {known_readers}"
        )
    positional = [
        argument["expression"] for argument in function["arguments"] if not argument["name"]
    ]
    files = [expression for expression in positional if expression["class"] != "COMPARISON"]
    first_argument = files[0] if len(files) == 1 else {}
    named_as: Literal["argument", "item"] = "argument"
    list_items = [first_argument]
    if first_argument.get("function_name") == "list_value":
        named_as, list_items = (
            "item",
            [argument["expression"] for argument in first_argument["arguments"]],
        )
    names_found = []
    for list_item in list_items:
        if list_item.get("class") != "CONSTANT" or list_item["literal"].get("kind") != "STRING":
            raise NotAllowedError(
                f"`{reader_name}` reads what is not named by a text, or a list of texts"
            )
        names_found.append(_named(list_item["literal"]["text"], list_item, content, named_as))
    if content[close : close + 1] != b")":
        raise NotAllowedError(f"`{reader_name}` is called in a way that cannot be followed")
    call = Call(reader_name, close, dict(_options(function)))
    return [replace(found, call=call) for found in names_found]


def _options(function: Tree) -> Iterator[tuple[str, str | None]]:
    """The options of a call, written with `=` or `:=`."""
    for argument in function["arguments"]:
        name, value = argument["name"], argument["expression"]
        if not name and value["class"] == "COMPARISON":
            name, value = value["left"].get("column_names", [""])[0], value["right"]
        if name:
            is_text = value.get("literal", {}).get("kind") == "STRING"
            yield name.lower(), value["literal"]["text"] if is_text else None


def _named(
    name: str, node: Tree, content: bytes, named_as: Literal["table", "argument", "item"]
) -> Named:
    name_start = node["query_location"]
    spelling = _QUOTED.match(content, name_start) if name_start < len(content) else None
    if spelling:
        quote = spelling[0][:1]
        if spelling[0][1:-1].replace(quote * 2, quote) == name.encode():
            return Named(name, name_start, spelling.end(), named_as)
    raise NotAllowedError(f'the file name "{name}" does not stand in plain quotes')


def with_files(
    text: str,
    named: list[Named],
    files: Callable[[Named], list[str]],
    options: Callable[[Named], Mapping[str, str]] = lambda _: {},
) -> str:
    """The select with SQL literals for the names in it, as many as `files` gives for each, and with
    `options` for the functions that read them."""
    edits: dict[tuple[int, int], str] = {}
    for file_named in named:
        literals = ", ".join(files(file_named))
        is_one = len(files(file_named)) == 1
        added = "".join(f", {name} = {value}" for name, value in options(file_named).items())
        if file_named.place == "argument" and not is_one:
            literals = f"[{literals}]"
        if file_named.place == "table" and (added or not is_one):
            literals = f"{reader(file_named.name)}([{literals}]{added})"
            if not file_named.has_alias:
                # The name that the engine gives to a table that is a file.
                literals += f" as {quoted(file_named.name.rsplit('/', 1)[-1].split('.')[0])}"
        edits[file_named.start, file_named.end] = literals
        if file_named.call is not None:
            edits[file_named.call.close, file_named.call.close] = added
    content = text.encode()
    for (start, end), replacement in sorted(edits.items(), reverse=True):
        content = content[:start] + replacement.encode() + content[end:]
    return content.decode()


def reader(name: str) -> str:
    """The function that reads a file of this ending; nothing where none does."""
    ending = _ENDING.search(name)
    file_form = ending[1].lower() if ending else ""
    reader_by_form = {"parquet": "read_parquet", "pq": "read_parquet", "json": "read_json"}
    reader_by_form |= {"jsonl": "read_json", "ndjson": "read_json"}
    return reader_by_form.get(file_form, "read_csv") if file_form else ""


def check_expression(tree: Tree) -> tuple[frozenset[str], bool]:
    """The names of the columns that an expression reads, and whether it is a bare column; `tree` is
    that of a select of it. Raises NotAllowedError where there is more, or another select in it."""
    other_clauses = (
        "where_clause",
        "group_expressions",
        "having",
        "qualify",
        "sample",
        "modifiers",
    )
    is_one_expression = (
        tree["type"] == "SELECT_NODE"
        and len(tree["select_list"]) == 1
        and not tree["select_list"][0]["alias"]
        and tree["from_table"]["type"] == "EMPTY"
        and not any(tree[clause] for clause in other_clauses)
        and not tree["cte_map"]["map"]
    )
    if not is_one_expression:
        raise NotAllowedError("it is more than one expression")
    expression = tree["select_list"][0]
    names: set[str] = set()
    for node in _nodes(expression):
        if "subquery" in node:
            raise NotAllowedError("it holds a select")
        match node.get("class"):
            case "STAR":
                raise NotAllowedError("it means several columns")
            case "PARAMETER" | "POSITIONAL_REFERENCE":
                raise NotAllowedError("it reads what has no name")
            case "FUNCTION" if node["function_name"].lower() == "unnest":
                raise NotAllowedError("it makes several rows of one")
            case "COLUMN_REF":
                names |= {folded(column_read) for column_read in node["column_names"]}
    return frozenset(names), expression["class"] == "COLUMN_REF"


def _nodes(tree: Any) -> Iterator[Tree]:
    """Every node of a tree; not by recursion, for a text can nest deeper than that."""
    unvisited = [tree]
    while unvisited:
        node = unvisited.pop()
        if isinstance(node, Mapping):
            yield node
            unvisited += node.values()
        elif isinstance(node, list):
            unvisited += node
