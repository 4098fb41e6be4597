"""A kind of source that riskseg does not know is added from outside, by registration alone."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.engine import Engine
from riskseg.run.assign import assign
from riskseg.run.check import check
from riskseg.sources import reader
from riskseg.sources.reader import SourceReader
from tests.support.small import make

DAY = date(2026, 1, 1)
AT = datetime(2026, 1, 1, 9, tzinfo=UTC)


class Lines(SourceReader):
    """Rows as `name: value` lines, a blank line after each; a `from` says `lines:PATH`."""

    form = "the path of such lines after `lines:`"

    @classmethod
    def reads(cls, loaded_from: str) -> bool:
        return loaded_from.startswith("lines:")

    @property
    def _file(self) -> Path:
        return self.root / self.source.loaded_from.removeprefix("lines:")

    def relation(self, engine: Engine) -> str:
        paragraphs = self._file.read_text().strip().split("\n\n")
        rows = [dict(line.split(": ") for line in p.splitlines()) for p in paragraphs]
        engine.register(f"lines_of_{self.source.table}", pa.Table.from_pylist(rows))
        return f"lines_of_{self.source.table}"

    def content(self, engine: Engine) -> Iterator[bytes]:
        yield hashlib.sha256(self._file.read_bytes()).digest()


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "KINDS", [*reader.KINDS])
    reader.register(Lines)


def with_lines(root: Path) -> Path:
    make(root)
    (root / "riskseg.toml").write_text(
        (root / "riskseg.toml").read_text().replace("data/accounts.csv", "lines:accounts.lines")
    )
    (root / "accounts.lines").write_text(
        "account_id: a\nregion: north\n\naccount_id: b\nregion: south\n"
    )
    return root


def test_a_registered_kind_of_source_is_read(tmp_path: Path, lines: None) -> None:
    root = with_lines(tmp_path)
    assert list(check(root).problems) == []
    first = assign(root, DAY, str(root / "d.csv"), at=AT)
    with (root / "d.csv").open(encoding="utf-8-sig") as file:
        decided = {row["account_id"]: row["action"] for row in csv.DictReader(file)}
    assert decided == {"a": "letter", "b": "sms"}
    (root / "accounts.lines").write_text("account_id: a\n\naccount_id: b\n")
    assert assign(root, DAY, str(root / "d.csv"), at=AT).run_id != first.run_id


def test_a_kind_that_nobody_registered_is_not(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError) as caught:
        assign(with_lines(tmp_path), DAY, str(tmp_path / "d.csv"), at=AT)
    assert [(p.code, p.hint) for p in caught.value.problems] == [
        (
            "RS006",
            "Name a .parquet, .csv, .csv.gz, .tsv, .txt or .xlsx file, a folder or glob of such, "
            "or a select over files.",
        )
    ]
