"""How progress is shown, on stderr: a bar on a terminal, lines elsewhere; and a command's plan."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from riskseg.cli.terminal import stderr, visible
from riskseg.pipeline.stages import Plan, Progress, Stage, listed

if TYPE_CHECKING:
    import rich.progress

# The name of the stage that reads the sources.
LOAD = "load"
# The bar on the terminal, while there is one.
_bars: list[rich.progress.Progress] = []


_silent = {"asked": False}


def be_silent(asked: bool) -> None:
    """Whether commands show neither progress nor remarks (--quiet); warnings are still shown."""
    _silent["asked"] = asked


def remark(text: str) -> None:
    """Show a remark about a result on stderr, unless a command is asked to be quiet."""
    if not _silent["asked"]:
        warn(text)


def warn(text: str) -> None:
    """Show on stderr what nobody should miss of a result, however quiet a command is."""
    stderr().print(text, markup=False)


def progress(*, quiet: bool = False) -> Progress:
    """On a terminal a bar with the stage, the step within it and the time that is left; elsewhere
    one line for each stage and step on stderr."""
    if _silent["asked"]:
        return Progress(warning=_note)
    if quiet:
        return Progress(note=_note)
    return _bar() if sys.stderr is not None and sys.stderr.isatty() else _lines()


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
    task = bar.add_task("", total=1)
    # What is done before the stage, the stage's weight, and what it says it does.
    stage_at = [(0, 1, "")]

    def reached(stage: Stage, weight_done: int, total: int) -> None:
        description = f"{stage.name}: {stage.does}"
        stage_at[0] = (weight_done, stage.weight, description)
        bar.update(task, description=description, completed=weight_done, total=total)

    def within(share: float, text: str) -> None:
        weight_done, weight, description = stage_at[0]
        task_text = visible(text) or description
        bar.update(task, description=task_text, completed=weight_done + share * weight)

    def note(text: str) -> None:
        bar.console.print(visible(text), markup=False)

    return Progress(reached, within, note)


def _lines() -> Progress:
    last_stage = [""]

    def reached(stage: Stage, done: int, total: int) -> None:
        if last_stage[0] != stage.name:
            percent = f"{100 * done // max(total, 1):3d}%"
            sys.stderr.write(f"{percent} {stage.name}: {stage.does}\n")
        last_stage[0] = stage.name
        sys.stderr.flush()

    def note(text: str) -> None:
        sys.stderr.write(f"     {visible(text)}\n")
        sys.stderr.flush()

    return Progress(reached, lambda _share, text: note(text) if text else None, note)


def _note(text: str) -> None:
    sys.stderr.write(f"{visible(text)}\n")


def end_progress() -> None:
    """Take the bar away, if there is one."""
    while _bars:
        _bars.pop().stop()


def show_plan(plan: Plan, *, as_json: bool, sources: Callable[[], list[str]] = list) -> None:
    """The stages of a run, as it would carry them out. The one that loads tells from where the
    `sources` are read."""
    stages = [
        (replace(stage, does=_with_sources(stage.does, sources())), repeated)
        if stage.name == LOAD
        else (stage, repeated)
        for stage, repeated in listed(plan)
    ]
    if as_json:
        print(
            json.dumps(
                [
                    {"stage": stage.name, "does": stage.does, "each": repeated_text}
                    for stage, repeated_text in stages
                ]
            )
        )
        return
    for position, (stage, repeated) in enumerate(stages, start=1):
        repeated_text = f" (for each {repeated})" if repeated else ""
        print(f"{position}. {stage.name}{repeated_text}: {stage.does}")


def _with_sources(does: str, sources: list[str]) -> str:
    return f"{does} ({'; '.join(sources)})" if sources else does
