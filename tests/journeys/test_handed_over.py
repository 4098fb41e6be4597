"""Replay looks at the file that was handed over, and at what the journal says of the run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from riskseg.cli import app
from riskseg.domain.problems import ProblemsError
from riskseg.run.assign import assign
from riskseg.run.replay import replay
from riskseg.run.retention import erase
from tests.support.account_file import AT, DAY, decide, write

ONE_SEGMENT = "columns: [lifecycle]\nrows:\n  - {id: r, match: [any], segment: miss}\n"
PATHS = "miss: {for: [miss], starts: as_of, steps: [{day: 0, action: sms}]}\n"
ACCOUNTS = "id,size\na,1\nb,2\nc,3\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = write(tmp_path, ACCOUNTS, {"segments.yaml": ONE_SEGMENT, "paths.yaml": PATHS})
    decide(root, keep=True)
    return root


def run(workspace: Path) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["-w", str(workspace), "replay", "last"])
    return done.exit_code, " ".join(done.output.split())


def test_a_file_that_is_as_it_was_written(workspace: Path) -> None:
    done = replay(workspace, "last")
    assert (done.same, done.file.state, done.file.manifest) == (True, "as written", True)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: t.replace("sms", "agency", 1), "1 of 3 accounts are different in the file."),
        (lambda t: t.replace("\nb,", "\nd,"), "1 account appeared. 1 account vanished."),
        (lambda t: t + "\n", "Its rows are the same; only its bytes are not."),
        (lambda _: "\0", "Its rows cannot be compared."),
    ],
)
def test_a_file_that_was_altered(workspace: Path, change: Callable[[str], str], says: str) -> None:
    file = workspace / "decisions.csv"
    file.write_text(change(file.read_text()))
    code, reported = run(workspace)
    assert code == 1
    assert "The same bytes" in reported  # what was decided comes out as it was
    assert "The file was altered since the run wrote it" in reported
    assert says in reported


def test_a_file_that_is_gone_or_written_over(workspace: Path) -> None:
    (workspace / "decisions.csv").unlink()
    code, reported = run(workspace)
    assert (code, "The file is not there any more" in reported) == (0, True)
    first = replay(workspace, "last").run_id
    write(workspace, ACCOUNTS + "d,4\n", {"paths.yaml": PATHS})
    later = assign(workspace, DAY, str(workspace / "decisions.csv"), at=AT)
    done = replay(workspace, first)
    assert (done.same, done.file.state, done.file.by) == (True, "written over", later.run_id)


def test_a_manifest_of_another_run(workspace: Path) -> None:
    manifest = workspace / "decisions.csv.manifest.json"
    reported = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**reported, "run": "another"}))
    code, output = run(workspace)
    assert (code, "belongs to another run" in output) == (1, True)
    manifest.unlink()
    assert run(workspace)[0] == 0


def kept_folder(workspace: Path) -> Path:
    (folder,) = (workspace / ".riskseg" / "runs").iterdir()
    return folder


def about(workspace: Path, **changes: object) -> None:
    place = kept_folder(workspace) / "run.json"
    place.write_text(json.dumps({**json.loads(place.read_text()), **changes}))


def forge_erasure(workspace: Path) -> None:
    """Take an account out of the inputs, and say that it was erased."""
    place = kept_folder(workspace) / "inputs.parquet"
    table = pq.read_table(place).slice(1)
    metadata = {**(table.schema.metadata or {}), b"riskseg.erased": b'["forged"]'}
    pq.write_table(
        pa.Table.from_arrays(table.columns, schema=table.schema).replace_schema_metadata(metadata),
        place,
    )


@pytest.mark.parametrize(
    ("forge", "says"),
    [
        (lambda w: about(w, as_of="2026-01-02"), "as of 2026-01-02.*the journal says 2026-01-01"),
        (lambda w: about(w, models={"p": ["default", "aa"]}), "decided with p: default aa"),
        (lambda w: about(w, run="other"), "is of run other"),
        (lambda w: about(w, reasons="none"), "reasons none"),
        (forge_erasure, "said to be erased, of which the journal knows nothing"),
    ],
)
def test_what_was_kept_is_what_the_journal_says(
    workspace: Path, forge: Callable[[Path], None], says: str
) -> None:
    forge(workspace)
    with pytest.raises(ProblemsError, match=says) as raised:
        replay(workspace, "last")
    assert [p.code for p in raised.value.problems] == ["RS610"]


def test_an_erasure_that_the_journal_knows(workspace: Path) -> None:
    erase(workspace, "a", by="ann", at=AT)
    done = replay(workspace, "last")
    assert (done.verdict, done.erased, done.same) == ("same rows", 1, True)
