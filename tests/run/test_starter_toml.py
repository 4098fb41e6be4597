"""The riskseg.toml of a new workspace: what it shows as comments can be taken as it is."""

from __future__ import annotations

import re
from pathlib import Path

from riskseg.domain.problems import Problems
from riskseg.run.init import init
from riskseg.workspace import open_workspace


def test_every_line_that_is_shown_as_a_comment_is_one_that_holds(tmp_path: Path) -> None:
    init(tmp_path / "w")
    file = tmp_path / "w" / "riskseg.toml"
    text, taken = re.subn(r"^# (\[.*|[a-z_]+ *= .*)$", r"\1", file.read_text(), flags=re.MULTILINE)
    file.write_text(text)
    problems = Problems()
    workspace = open_workspace(tmp_path / "w", problems)
    assert workspace is not None and not list(problems)
    assert taken > 15 and {"accounts", "events"} < {*workspace.settings.sources}
    assert workspace.settings.sources["payments"].expect.model_fields_set == {"newest", "rows"}
    assert workspace.settings.sources["bills"].url == (
        "postgresql+psycopg://riskseg:${RISKSEG_DB}@db.internal/billing"
    )
