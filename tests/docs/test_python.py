"""docs/guide/python.md: every cell is run, and gives what the page shows below it.

Numbers, dates and ids are examples and are not compared, as in the shell examples.
"""

from __future__ import annotations

import ast
import contextlib
import io
from pathlib import Path
from typing import Any

import pytest

from riskseg.run.init import init
from tests.docs.pages import ROOT, blocks
from tests.docs.test_shell_examples import loans, missing

GUIDE = ROOT / "docs" / "guide"


def cell(text: str, names: dict[str, Any]) -> str:
    """What a notebook shows of a cell: what it prints, then what its last expression gives."""
    tree = ast.parse(text)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "cell", "exec"), names)  # noqa: S102
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)  # noqa: S307
            if value is not None:
                print(repr(value))
    return printed.getvalue()


def workspace_of_the_guide(folder: Path) -> None:
    """The workspace that the guide on account files makes."""
    init(folder, "account-file")
    (folder / "data").mkdir()
    loans(folder / "data" / "accounts.csv")
    (toml,) = (b.text for b in blocks(GUIDE / "account-files.md") if b.title)
    (folder / "riskseg.toml").write_text(toml, encoding="utf-8")


def test_every_cell_gives_what_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    workspace_of_the_guide(tmp_path / "loans")
    names: dict[str, Any] = {}
    shown, faults, compared = "", [], 0
    for block in blocks(GUIDE / "python.md"):
        if block.language == "python":
            assert not shown, f"what the cell before line {block.line} gives is not shown"
            shown = cell(block.text, names)
        elif block.language == "text":
            lines = block.text.splitlines()
            if lost := missing(lines, shown):
                faults.append(f"line {block.line}: {lost} is not in\n{shown}")
            if "…" not in lines and len(lines) != len(shown.splitlines()):
                faults.append(f"line {block.line}: there is more than is shown\n{shown}")
            shown, compared = "", compared + 1
    assert not faults, "\n".join(faults)
    assert not shown
    assert compared == 10
