"""The exit code of a command, however it ends, and what it prints on stderr then."""

from __future__ import annotations

import functools
import inspect
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, TypeVar

import typer

from riskseg.cli.progress import be_silent, end_progress
from riskseg.cli.terminal import problems_to_stderr, stderr, without_secrets, write_any_text
from riskseg.domain.problems import OUR_FAULT, USERS_FAULT, Problem, Problems, ProblemsError
from riskseg.domain.system_errors import use_cure

R = TypeVar("R")

# What each code means, for the reference.
MEANINGS = {
    "0": "done",
    "1": "problems in what was given: files, data, names, dates",
    "2": "wrong usage: an option that does not exist, a value missing",
    "3": "a fault in riskseg itself; only then is there a traceback",
    "4": "busy: another run holds the workspace; try again when it has ended",
    "5": "a feed is stale, doubled, empty or in part missing: see `[source.TABLE.expect]`",
    "130, 143": "ended by Ctrl-C, or by SIGTERM; what was not finished is cleared away",
}
# What a shell says of a command that a signal ended.
_SIGNALLED = 128


Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet",
        help="Show no progress and no remarks on stderr; Problems, and warnings about the data, "
        "are still shown.",
    ),
]


def guarded(command: Callable[..., R]) -> Callable[..., R]:
    """Problems end a command with 1 and their list (4 where another run holds the workspace, 5
    where a feed is bad), a signal with 130 or 143, anything else unforeseen with 3. The options
    that every command has are seen to here: `sql`, and `--quiet`, which is added."""

    @functools.wraps(command)
    def wrapped(*args: Any, quiet: bool = False, **kwargs: Any) -> R:
        if quiet:
            be_silent(True)
        write_any_text()
        problems: list[Problem] = []
        try:
            return _ended_by_code(lambda: command(*args, **kwargs), kwargs, problems)
        except typer.Exit as ended:
            if ended.exit_code and kwargs.get("metrics") and not kwargs.get("plan"):
                from riskseg.cli.metrics import write_failure

                write_failure(ended.exit_code, problems)
            raise

    return _with_quiet(wrapped, command)


def _ended_by_code(
    command: Callable[[], R], options: Mapping[str, Any], problems: list[Problem]
) -> R:
    """Carry out a command. Where it fails, `problems` has its Problems, and typer.Exit its code."""
    as_json = bool(options.get("as_json"))
    with _signals() as arrived:
        try:
            with _without_bar(), _sql_written(options):
                return command()
        except ProblemsError as error:
            problems += error.problems
            problems_to_stderr(problems, as_json=as_json)
            raise typer.Exit(error.exit_code) from None
        except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
            raise
        except (KeyboardInterrupt, _Terminated):
            raise _ended(arrived) from None
        except OSError as error:
            if arrived:
                raise _ended(arrived) from None
            if error.errno is None:
                raise _our_fault() from None
            problems.append(_refused(error))
            problems_to_stderr(problems, as_json=as_json)
            raise typer.Exit(USERS_FAULT) from None
        except Exception:
            # A library may turn what the signal raised into an error of its own.
            raise _ended(arrived) if arrived else _our_fault() from None


def _with_quiet(wrapped: Callable[..., R], command: Callable[..., R]) -> Callable[..., R]:
    """Let Typer see the option `--quiet` after those of the command itself."""
    signature = inspect.signature(command, eval_str=True)
    quiet = inspect.Parameter(
        "quiet", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Quiet
    )
    vars(wrapped)["__signature__"] = signature.replace(
        parameters=[*signature.parameters.values(), quiet]
    )
    parameters = signature.parameters.values()
    wrapped.__annotations__ = {p.name: p.annotation for p in parameters} | {"quiet": Quiet}
    return wrapped


class _Terminated(BaseException):
    """The process was asked to end (SIGTERM)."""


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Let Ctrl-C and SIGTERM end the command the way an exception does, so that whatever it was
    writing is cleared away; the list holds the number of the signal that came."""
    arrived: list[int] = []

    def handle(signal_number: int, _frame: object) -> None:
        arrived.append(signal_number)
        raise _Terminated if signal_number == signal.SIGTERM else KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield arrived
        return
    handler_before = {
        signal_number: signal.signal(signal_number, handle)
        for signal_number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield arrived
    finally:
        for signal_number, handler in handler_before.items():
            signal.signal(signal_number, handler)


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
    sql_path = options.get("sql")
    if sql_path is None or options.get("plan"):
        yield
        return
    from riskseg.cli.common import root
    from riskseg.engine import sql_written
    from riskseg.pipeline.outputs import check_output
    from riskseg.pipeline.session import open_checked

    problems = Problems()
    check_output(open_checked(root()), sql_path, problems, (".sql", ".txt"))
    problems.raise_if_any()
    with sql_written(sql_path):
        yield


def _ended(arrived: list[int]) -> typer.Exit:
    signal_number = arrived[0] if arrived else int(signal.SIGINT)
    how_it_ended = "Terminated" if signal_number == signal.SIGTERM else "Interrupted"
    stderr().print(f"{how_it_ended}: nothing was changed that was not finished.")
    return typer.Exit(_SIGNALLED + signal_number)


def _our_fault() -> typer.Exit:
    sys.stderr.write(without_secrets(traceback.format_exc()))
    stderr().print("[bold red]This is a fault in riskseg itself.[/]")
    return typer.Exit(OUR_FAULT)


def _refused(error: OSError) -> Problem:
    """What the system says of a file or folder."""
    file_name = error.filename if isinstance(error.filename, str) else None
    system_reason = os.strerror(error.errno or 0).lower()
    return Problem(
        "RS616",
        f"The system says: {system_reason}.",
        file_name,
        hint=use_cure(error),
    )
