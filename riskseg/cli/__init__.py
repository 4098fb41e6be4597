"""The command line: parse, one call into run/, show."""

import gc

# Nearly all that a command makes at its start stays until its end, so looking for garbage among it
# again and again is a tenth of the time of a short command. This has to come before the imports.
gc.set_threshold(100_000, 20, 20)

from riskseg.cli.app import app  # noqa: E402

__all__ = ["app"]
