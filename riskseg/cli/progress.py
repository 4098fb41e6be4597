"""How faults and progress are told: on stderr, so that stdout holds results alone."""

from __future__ import annotations

import functools
import io
import json
import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from riskseg.domain.problems import Problem, Problems, ProblemsError
from riskseg.pipeline.stages import Plan, Progress, Stage, listed

if TYPE_CHECKING:
    import rich.progress

P = ParamSpec("P")
R = TypeVar("R")

USERS_FAULT, OUR_FAULT, BUSY = 1, 3, 4
# What a shell says of a command that a signal ended.
_SIGNALLED = 128


# Control characters but the end of a line and the tab, and what turns the direction of writing.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


# What may hold a password: an address, and a setting of that name.
_ADDRESS = re.compile(r"[a-zA-Z][\w+.-]*://[^\s'\"]+")
_PASSWORD = re.compile(r"\b((?:password|passwd|pwd)\s*[=:]\s*)[^\s,;&'\")]+", re.IGNORECASE)


def visible(text: str) -> str:
    """A text with its control characters written out, so that no terminal obeys them."""
    return _CONTROL.sub(lambda c: c[0].encode("unicode_escape").decode(), text)


class _Shown(Console):
    """Whatever it prints, a message or a cell of a table, has its control characters shown."""

    def render_str(self, text: str, **how: Any) -> Text:
        return super().render_str(visible(text), **how)


def stderr() -> Console:
    return _Shown(stderr=True, soft_wrap=True, highlight=False)


class _Piped(_Shown):
    """Nobody's window is there to cut what is printed: tables have a width of their own, and a
    line of text stays one, to be searched for and pasted."""

    def print(self, *objects: Any, **how: Any) -> None:
        if all(isinstance(one, str) for one in objects):
            how = {"soft_wrap": True, **how}
        super().print(*objects, **how)


def stdout() -> Console:
    if sys.stdout is not None and sys.stdout.isatty():
        return _Shown(highlight=False)
    return _Piped(width=160, highlight=False)


def problems_to_stderr(problems: Iterable[Problem], *, as_json: bool = False) -> None:
    listed = list(problems)
    if as_json:
        print(json.dumps({"problems": [p.as_dict() for p in listed]}, ensure_ascii=False))
        return
    console = stderr()
    for problem in listed:
        where = f" [cyan]{escape(problem.where)}[/]" if problem.file else ""
        hint = f" [dim]{escape(problem.hint)}[/]" if problem.hint else ""
        console.print(f"[bold red]{problem.code}[/]{where}: {escape(problem.what)}{hint}")
    count = f"{len(listed)} problem{'s' if len(listed) != 1 else ''}"
    console.print(f"[bold]{count}[/]")


class _Terminated(BaseException):
    """The process was asked to end (SIGTERM)."""


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Let Ctrl-C and SIGTERM end the command the way an exception does, so that whatever it was
    writing is cleared away; the list holds the number of the signal that came."""
    came: list[int] = []

    def handle(number: int, _frame: object) -> None:
        came.append(number)
        raise _Terminated if number == signal.SIGTERM else KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    before = {n: signal.signal(n, handle) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _without_bar() -> Iterator[None]:
    """Whatever ends a command, what is said of it comes after its bar."""
    try:
        yield
    finally:
        end_progress()


@contextmanager
def _sql_written(options: Mapping[str, Any]) -> Iterator[None]:
    """Write the engine's statements to a file, where a command was asked to (--sql)."""
    path = options.get("sql")
    if path is None or options.get("plan"):
        yield
        return
    from riskseg.cli.common import root
    from riskseg.engine import sql_written
    from riskseg.pipeline.outputs import check_output
    from riskseg.pipeline.session import open_checked

    problems = Problems()
    check_output(open_checked(root()), path, problems, (".sql", ".txt"))
    problems.raise_if_any()
    with sql_written(path):
        yield


def guarded(command: Callable[P, R]) -> Callable[P, R]:
    """Problems end a command with 1 and their list (4 where another run holds the workspace), a
    signal with 130 or 143, anything else unforeseen with 3. Its option `sql` is seen to here."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        as_json = bool(kwargs.get("as_json"))
        _write_any_text()
        with _signals() as came:
            try:
                with _without_bar(), _sql_written(kwargs):
                    return command(*args, **kwargs)
            except ProblemsError as error:
                problems_to_stderr(error.problems, as_json=as_json)
                busy = all(problem.code == "RS604" for problem in error.problems)
                raise typer.Exit(BUSY if busy else USERS_FAULT) from None
            except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
                raise
            except (KeyboardInterrupt, _Terminated):
                raise _ended(came) from None
            except OSError as error:
                if came:
                    raise _ended(came) from None
                if error.errno is None:
                    raise _our_fault() from None
                problems_to_stderr([_refused(error)], as_json=as_json)
                raise typer.Exit(USERS_FAULT) from None
            except Exception:
                # A library may turn what the signal raised into an error of its own.
                raise _ended(came) if came else _our_fault() from None

    return wrapped


def _ended(came: list[int]) -> typer.Exit:
    number = came[0] if came else int(signal.SIGINT)
    word = "Terminated" if number == signal.SIGTERM else "Interrupted"
    stderr().print(f"{word}: nothing was changed that was not finished.")
    return typer.Exit(_SIGNALLED + number)


def without_secrets(text: str) -> str:
    """A text less the passwords of the addresses in it."""
    from riskseg.store.sinks import without_secrets as hidden

    text = _ADDRESS.sub(lambda found: hidden(found[0]), text)
    return _PASSWORD.sub(r"\1***", text)


def _our_fault() -> typer.Exit:
    sys.stderr.write(without_secrets(traceback.format_exc()))
    stderr().print("[bold red]This is a fault of riskseg's own.[/]")
    return typer.Exit(OUR_FAULT)


def _refused(error: OSError) -> Problem:
    """What the system says of a file or folder."""
    name = error.filename if isinstance(error.filename, str) else None
    why = os.strerror(error.errno or 0).lower()
    return Problem(
        "RS616",
        f"The system says: {why}.",
        name,
        hint="Make room, or give the right to use it, or name another place.",
    )


def _write_any_text() -> None:
    """Let a character that the terminal or file has no code for be written as its number."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


# The bar on the terminal, while there is one.
_bars: list[rich.progress.Progress] = []


def progress(*, quiet: bool = False) -> Progress:
    """On a terminal a bar with the stage, the step within it and the time that is left; elsewhere
    one line for each stage and step on stderr."""
    if quiet:
        return Progress(note=_note)
    return _bar() if sys.stderr is not None and sys.stderr.isatty() else _lines()


def _lines() -> Progress:
    last = [""]

    def reached(stage: Stage, done: int, total: int) -> None:
        if last[0] != stage.name:
            share = f"{100 * done // max(total, 1):3d}%"
            sys.stderr.write(f"{share} {stage.name}: {stage.does}\n")
        last[0] = stage.name
        sys.stderr.flush()

    def note(text: str) -> None:
        sys.stderr.write(f"     {visible(text)}\n")
        sys.stderr.flush()

    return Progress(reached, lambda _share, text: note(text) if text else None, note)


def _bar() -> Progress:
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=stderr(),
    )
    _bars.append(bar)
    bar.start()
    whole = bar.add_task("", total=1)
    # What is done before the stage, the stage's weight, and what it says it does.
    stage_at = [(0, 1, "")]

    def reached(stage: Stage, done: int, total: int) -> None:
        description = f"{stage.name}: {stage.does}"
        stage_at[0] = (done, stage.weight, description)
        bar.update(whole, description=description, completed=done, total=total)

    def within(share: float, text: str) -> None:
        done, weight, description = stage_at[0]
        shown = visible(text) or description
        bar.update(whole, description=shown, completed=done + share * weight)

    def note(text: str) -> None:
        bar.console.print(visible(text), markup=False)

    return Progress(reached, within, note)


def end_progress() -> None:
    """Take the bar away, if there is one."""
    while _bars:
        _bars.pop().stop()


def _note(text: str) -> None:
    sys.stderr.write(f"{visible(text)}\n")


def show_plan(plan: Plan, *, as_json: bool) -> None:
    """The stages of a run, as it would carry them out."""
    stages = list(listed(plan))
    if as_json:
        print(json.dumps([{"stage": s.name, "does": s.does, "each": each} for s, each in stages]))
        return
    for number, (stage, repeated) in enumerate(stages, start=1):
        each = f" (for each {repeated})" if repeated else ""
        print(f"{number}. {stage.name}{each}: {stage.does}")
