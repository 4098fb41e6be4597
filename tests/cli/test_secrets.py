"""No message of the command line shows a password."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from riskseg.cli import exit_codes

URL = "postgresql://clerk:hunter2@db.example/book?password=hunter2#scores"
WRONG = [
    ["score", "--as-of", "2026-01-01", "--out", "a.csv", "m", URL, "--surplus"],
    ["check", URL],
    ["check", URL, URL],
    ["models", "show", "m", "v", URL],
    ["score", "--as-of", URL, "--out", "a.csv"],
    ["train", f"--outt={URL}"],
    [URL],
    ["models", URL],
    ["strategy", "diff", "a", "b", URL, URL],
]


@pytest.mark.parametrize("words", WRONG, ids=lambda words: " ".join(words)[:40])
def test_wrong_usage(words: list[str]) -> None:
    from typer.testing import CliRunner

    from riskseg.cli import app

    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert "hunter2" not in done.output


def test_a_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    @exit_codes.guarded
    def breaks() -> None:
        raise RuntimeError(f"cannot reach {URL} (host=db password=hunter2)")

    with pytest.raises(exit_codes.typer.Exit) as ended:
        breaks()
    shown = capsys.readouterr().err
    assert ended.value.exit_code == exit_codes.OUR_FAULT
    assert "hunter2" not in shown and "clerk" in shown and "db.example" in shown


def test_as_a_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "riskseg", "check", URL]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "hunter2" not in done.stderr and "db.example" in done.stderr
