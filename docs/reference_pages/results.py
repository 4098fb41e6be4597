"""results.md: what each command prints with --json."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reference_pages.markdown import code, table
from riskseg.results.schema import COMMANDS, json_schema


def results() -> Iterator[str]:
    schema = json_schema()
    yield "# Results"
    yield ""
    yield (
        "What each command prints with `--json`, and what the method of that name returns in "
        "Python, where a result has the same names as attributes. "
        "[results.schema.json](results.schema.json) is the same as JSON Schema: "
        "`commands` has the schema of each command, `answers` that of the `answer` of each "
        "question. Keys may be added from one version to the next. Amounts and "
        "probabilities are text, so that they stay exact; dates and times are as in ISO "
        "8601. Where there are Problems, `{problems: […]}` is printed instead."
    )
    yield ""
    for command, reference in schema["commands"].items():
        yield f"## {command}"
        yield ""
        yield from _result(schema["$defs"], _referred(reference))
    yield "## The answers of insight"
    yield ""
    for question, reference in schema["answers"].items():
        yield f"### insight {question}"
        yield ""
        yield from _result(schema["$defs"], _referred(reference))
    yield "## Metrics"
    yield ""
    yield (
        "What `--metrics FILE` writes as JSON; the values are numbers. `metrics` in the schema. As "
        "OpenMetrics text (`.prom`, `.txt`) it has the same metrics, all of them gauges."
    )
    yield ""
    yield from _result(schema["$defs"], _referred(schema["metrics"]))
    yield "## The parts of results"
    yield ""
    whole = (*schema["commands"].values(), *schema["answers"].values())
    results = {_referred(reference) for reference in (*whole, schema["metrics"])}
    for name, definition in schema["$defs"].items():
        if name not in results and definition["type"] == "object":
            yield f"### {name}"
            yield ""
            yield from _result(schema["$defs"], name)


def _referred(schema: Mapping[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _result(definitions: Mapping[str, Any], name: str) -> Iterator[str]:
    definition = definitions[name]
    yield " ".join(definition["description"].split())
    yield ""
    if definition["type"] == "array":
        yield f"A list of {_linked(_referred(definition['items']))}."
        yield ""
        return
    rows = (
        (code(key), _holds(value), " ".join(value.get("description", "").split()))
        for key, value in definition["properties"].items()
    )
    yield from table(("key", "holds", "what it is"), rows)


def _holds(schema: Mapping[str, Any]) -> str:
    """What a key holds, in a few words."""
    if "$ref" in schema:
        return _linked(_referred(schema))
    if "anyOf" in schema:
        return " or ".join(map(_holds, schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(code(str(value)) for value in schema["enum"])
    if "const" in schema:
        return code(str(schema["const"]))
    kind = schema.get("type", "any value")
    if kind == "array":
        inner = schema.get("items") or next(iter(schema.get("prefixItems", ())), {})
        return f"list of {_holds(inner)}" if inner else "list"
    if kind == "object" and isinstance(inner := schema.get("additionalProperties"), Mapping):
        return "a decision" if "properties" in schema else f"by name: {_holds(inner)}"
    if schema.get("format") in ("date", "date-time"):
        return "date" if schema["format"] == "date" else "time"
    words = {"string": "text", "boolean": "true or false", "number": "number", "null": "null"}
    kinds = [kind] if isinstance(kind, str) else kind
    return "any value" if len(kinds) > 3 else " or ".join(words.get(k, k) for k in kinds)


def _linked(name: str) -> str:
    words = {"Kind": "the kind of a fact", "Interval": "[estimate, low, high] at 95%"}
    if name in words:
        return words[name]
    # A result stands under the command that prints it.
    heading = {result.__name__: command for command, result in COMMANDS.items()}.get(name, name)
    return f"[{name}](#{heading.lower().replace(' ', '-')})"
