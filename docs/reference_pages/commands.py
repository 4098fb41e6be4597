"""commands.md: what every command takes."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any

import typer

from reference_pages.markdown import code, table
from riskseg.cli import app
from riskseg.cli.exit_codes import MEANINGS


def commands() -> Iterator[str]:
    yield "# Commands"
    yield ""
    yield (
        "Results go to stdout or to the file named by `--out`. Progress, remarks and Problems go "
        "to stderr. `--json` prints the result for machines; with it, Problems are printed to "
        "stdout as JSON too. `--plan` prints the stages of a run and carries out none of them. "
        "Every option that takes a day also takes `today` and `yesterday`: the days of the time "
        "zone that `timezone` in [workspace] names, or else of the machine (`TZ`). What is "
        "decided, written and journalled is the date."
    )
    yield ""
    yield from table(
        ("exit code", "means"),
        MEANINGS.items(),
    )
    root = typer.main.get_command(app)
    yield from _command("riskseg", root)


def _command(name: str, command: Any) -> Iterator[str]:
    yield f"## {name}"
    yield ""
    yield " ".join((command.help or "").split())
    yield ""
    subcommands = getattr(command, "commands", {})
    rest = " COMMAND …" if subcommands else ""
    words = [f" {_placed(p)}" for p in command.params if p.param_type_name == "argument"]
    yield f"```text\n{name} [OPTIONS]{''.join(words)}{rest}\n```"
    yield ""
    rows = []
    for param in command.params:
        if param.param_type_name == "argument":
            rows.append((code(_metavar(param)), param.help or "", "" if param.required else "no"))
        elif not getattr(param, "hidden", False):
            rows.append((_option(param), param.help or "", _default(param)))
    if rows:
        yield from table(("", "what it is", "needed, or default"), map(_needed, rows))
    for inner in getattr(command, "list_commands", lambda _: subcommands)(None):
        yield from _command(f"{name} {inner}", subcommands[inner])


def _needed(row: tuple[str, str, str]) -> tuple[str, str, str]:
    return row if row[2] else (row[0], row[1], "needed")


def _metavar(param: Any) -> str:
    return str(param.name).upper() + ("…" if param.nargs == -1 else "")


def _placed(param: Any) -> str:
    return _metavar(param) if param.required else f"[{_metavar(param)}]"


def _option(param: Any) -> str:
    flags = ", ".join(code(o) for o in param.opts)
    if isinstance(param.default, Enum):
        return f"{flags} {' or '.join(code(str(c.value)) for c in type(param.default))}"
    return flags


def _default(param: Any) -> str:
    if param.required:
        return ""
    if getattr(param, "is_flag", False) or param.default is None:
        return "no"
    value = getattr(param.default, "value", param.default)
    shown = value.date().isoformat() if hasattr(value, "date") else str(value)
    return code(shown) or "no"
