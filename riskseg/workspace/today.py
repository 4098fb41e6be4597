"""Which day it is where a workspace is."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from riskseg.domain.problems import Problems
from riskseg.workspace.settings import open_workspace


def day_of(moment: datetime, root: Path | None) -> date:
    """The day that a moment is in the time zone of the workspace in `root`, or, where there is none
    or its riskseg.toml names no zone, in that of this machine (`TZ`)."""
    workspace = None if root is None else open_workspace(root, Problems())
    zone = None if workspace is None else workspace.settings.timezone
    return moment.astimezone(None if zone is None else ZoneInfo(zone)).date()
