"""What is asked of the staged tables alone is asked once, where these are kept: what a select of
them gives does not change."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

from riskseg.domain.problems import ProblemsError
from riskseg.engine import Engine
from riskseg.pipeline.staged_ledger import derived_file
from riskseg.store.files import private_file, write_beside
from riskseg.workspace import Workspace

Rows = list[tuple[Any, ...]]


class StagedAnswers:
    """Answers selects of the staged tables: from a file beside the ledger of the name `kept`, or
    else from the engine. Values are numbers, truths, texts and days."""

    def __init__(self, engine: Engine, workspace: Workspace, kept: str | None) -> None:
        self._engine = engine
        self._place = derived_file(workspace, kept, "answers", []) if kept is not None else None
        self._answers = {} if self._place is None else _read(self._place)
        self._asked_anew = False

    def rows(self, select: str) -> Rows:
        """The rows of a select that reads nothing but staged tables."""
        if select not in self._answers:
            self._answers[select] = self._engine.rows(select)
            self._asked_anew = True
        return self._answers[select]

    def value(self, select: str) -> Any:
        """The one value of such a select; None where there is no row."""
        rows = self.rows(select)
        return rows[0][0] if rows else None

    def keep(self) -> None:
        """Keep the answers for the next command, if there are new ones and there is room."""
        if self._place is None or not self._asked_anew:
            return
        answers = json.dumps(self._answers, default=_as_json)
        content = json.dumps({"answers": answers, "sha256": _digest(answers)})
        with suppress(ProblemsError, OSError), write_beside(self._place, token="answers") as part:
            part.write_text(content, encoding="utf-8")
            private_file(part)


def _read(place: Path) -> dict[str, Rows]:
    """The answers in a file; none where it is not there, or damaged."""
    try:
        kept = json.loads(place.read_text(encoding="utf-8"))
        if kept["sha256"] != _digest(kept["answers"]):
            return {}
        answers = json.loads(kept["answers"])
    except (OSError, ValueError, TypeError, KeyError):
        return {}
    return {
        select: [tuple(map(_from_json, row)) for row in rows] for select, rows in answers.items()
    }


def _digest(answers: str) -> str:
    return hashlib.sha256(answers.encode()).hexdigest()


def _as_json(value: Any) -> Any:
    if isinstance(value, date):
        return {"date": value.isoformat()}
    raise TypeError(f"{type(value).__name__} is not kept")


def _from_json(value: Any) -> Any:
    return date.fromisoformat(value["date"]) if isinstance(value, dict) else value
