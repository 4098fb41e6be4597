"""What is printed: the consoles for stdout and stderr, texts made safe to print, Problems."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from riskseg.domain.problems import Problem

# Control characters but the end of a line and the tab, and what turns the direction of writing.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
# What may hold a password: an address, and a setting of that name.
_ADDRESS = re.compile(r"[a-zA-Z][\w+.-]*://[^\s'\"]+")
_PASSWORD = re.compile(r"\b((?:password|passwd|pwd)\s*[=:]\s*)[^\s,;&'\")]+", re.IGNORECASE)


def visible(text: str) -> str:
    """A text with its control characters written out, so that no terminal obeys them."""
    return _CONTROL.sub(lambda control: control[0].encode("unicode_escape").decode(), text)


class _Shown(Console):
    """Whatever it prints, a message or a cell of a table, has its control characters shown."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(visible(text), **options)


# What a table has in a pipe beyond its longest words, so that short texts stay on their line.
_ROOM = 40


class _Piped(_Shown):
    """Nobody's window is there to cut what is printed: tables have a width of their own, in which
    no word is broken, and a line of text stays one, to be searched for and pasted."""

    def print(self, *objects: Any, **options: Any) -> None:
        if all(isinstance(printed, str) for printed in objects):
            options = {"soft_wrap": True, **options}
        usual, in_any_width = self.width, self.options.update(max_width=10_000)
        needed = [
            printed.__rich_measure__(self, in_any_width).minimum
            for printed in objects
            if isinstance(printed, Table)
        ]
        self.width = max([usual, *(least + _ROOM for least in needed)])
        super().print(*objects, **options)
        self.width = usual


def stdout() -> Console:
    if sys.stdout is not None and sys.stdout.isatty():
        return _Shown(highlight=False)
    return _Piped(width=160, highlight=False)


def stderr() -> Console:
    return _Shown(stderr=True, soft_wrap=True, highlight=False)


def problems_to_stderr(problems: Iterable[Problem], *, as_json: bool = False) -> None:
    all_problems = list(problems)
    if as_json:
        print(
            json.dumps(
                {"problems": [problem.as_dict() for problem in all_problems]}, ensure_ascii=False
            )
        )
        return
    console = stderr()
    for problem in all_problems:
        where_text = f" [cyan]{escape(problem.where)}[/]" if problem.file else ""
        hint = f" [dim]{escape(problem.hint)}[/]" if problem.hint else ""
        console.print(f"[bold red]{problem.code}[/]{where_text}: {escape(problem.what)}{hint}")
    problem_count_text = f"{len(all_problems)} problem{'s' if len(all_problems) != 1 else ''}"
    console.print(f"[bold]{problem_count_text}[/]")


def without_secrets(text: str) -> str:
    """A text less the passwords of the addresses in it."""
    from riskseg.store.sinks import without_secrets as hidden

    text = _ADDRESS.sub(lambda address: hidden(address[0]), text)
    return _PASSWORD.sub(r"\1***", text)


def write_any_text() -> None:
    """Let a character that the terminal or file has no code for be written as its number."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
