"""Files and folders of sources that may not be read are said, and none is passed over."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from riskseg.domain.problems import Problems
from riskseg.sources.reader import open_source
from riskseg.workspace import Source

FILE, FOLDER = "riskseg may not read this file", "riskseg may not look into this folder"


@contextmanager
def another_user() -> Iterator[None]:
    """Root may read everything: as another user, where the tests are run as root."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that another user can look into, as those of `tmp_path` are not."""
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        for name in ("in/a.csv", "in/b.csv", "in/deep/c.csv", "in/_deep/d.csv"):
            (root / name).parent.mkdir(exist_ok=True, parents=True)
            (root / name).write_text("account_id\n1\n")
        root.chmod(0o755)
        yield root
        for place in (root / "in", root / "in" / "deep", root / "in" / "_deep"):
            place.chmod(0o755)


@pytest.mark.parametrize(
    ("closed", "mode", "loaded_from", "said"),
    [
        ("in/a.csv", 0o200, "in/a.csv", [("in/a.csv", FILE)]),
        ("in/a.csv", 0o200, "in/*.csv", [("in/a.csv", FILE)]),
        ("in/a.csv", 0o200, "in/b.csv", []),
        ("in/a.csv", 0o200, "in", [("in/a.csv", FILE)]),
        ("in/a.csv", 0o200, "select * from 'in/a.csv'", [("in/a.csv", FILE)]),
        ("in", 0o000, "in/a.csv", [("in", FOLDER)]),
        ("in", 0o000, "in/*.csv", [("in", FOLDER)]),
        ("in", 0o000, "in", [("in", FOLDER)]),
        # A file that is named needs no list of those beside it.
        ("in", 0o311, "in/a.csv", []),
        ("in", 0o311, "in/*.csv", [("in", FOLDER)]),
        ("in/deep", 0o000, "in/*.csv", []),
        ("in/deep", 0o000, "in/*/*.csv", [("in/deep", FOLDER)]),
        ("in/deep", 0o000, "in/**/*.csv", [("in/deep", FOLDER)]),
        ("in/deep", 0o000, "in", [("in/deep", FOLDER)]),
        # What programs write beside data is left out.
        ("in/_deep", 0o000, "in", []),
    ],
)
def test_what_may_not_be_read_is_said(
    folder: Path, closed: str, mode: int, loaded_from: str, said: list[tuple[str, str]]
) -> None:
    problems = Problems()
    (folder / closed).chmod(mode)
    with another_user():
        # Two sources of one folder: what stands in their way is said once.
        for table in ("bills", "payments"):
            source = Source(table, loaded_from, {})
            assert open_source(source, folder).check(problems) is not bool(said)
    assert [(p.code, p.file, p.what) for p in problems] == [
        ("RS616", place, f"{what}: permission denied.") for place, what in said
    ]
    assert all("Give the user who runs riskseg the right to" in p.hint for p in problems)
