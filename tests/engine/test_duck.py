"""The engine's door: what it must not do by itself."""

from __future__ import annotations

import subprocess
import sys


def test_nothing_is_drawn_on_stdout() -> None:
    """DuckDB shows a progress bar there where the program has no file, as in a notebook."""
    program = (
        "from riskseg.engine import Engine\n"
        "with Engine() as engine:\n"
        "    print(engine.value(\"select current_setting('enable_progress_bar')\"))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout == "False\n"
