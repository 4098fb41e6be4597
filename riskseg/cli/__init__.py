"""The command line: parse, one call into run/, show."""

import gc
import os

# Nearly all that a command makes at its start stays until its end, so looking for garbage among it
# again and again is a tenth of the time of a short command. This has to come before the imports.
gc.set_threshold(100_000, 20, 20)
# pydantic would read what every installed package says of itself, to find plugins of its own.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from riskseg.cli.process_end import ended_at_once  # noqa: E402, I001
from riskseg.cli.app import app  # noqa: E402


def main(name: str | None = None) -> None:
    """The command, in a process of its own; `name` is what help calls it, left out as it was
    called."""
    with ended_at_once():
        app(prog_name=name)


__all__ = ["app", "main"]
