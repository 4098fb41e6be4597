"""What a command does to the places it writes in, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from riskseg.cli import app
from riskseg.domain.problems import ProblemsError
from riskseg.pipeline.session import open_checked, scratch_engine
from riskseg.run.assign import assign
from riskseg.store import files
from riskseg.store.database_urls import without_secrets
from riskseg.store.files import own_parts, part_of, sweep
from riskseg.store.lock import workspace_lock
from tests.support.account_file import AT, DAY, codes, decide, write
from tests.support.sampled import one_in

SEGMENTS = "columns: [lifecycle]\nrows:\n  - {id: r, match: [any], segment: miss}\n"
PATHS = "miss: {for: [miss], starts: as_of, steps: [{day: 0, action: sms}]}\n"
FILES = {"segments.yaml": SEGMENTS, "paths.yaml": PATHS}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return write(tmp_path / "w", "id,note\na,x\nb,y\n", FILES)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def linked(workspace: Path) -> str:
    (workspace.parent / "link.csv").symlink_to(workspace / "accounts.csv")
    return str(workspace.parent / "link.csv")


def hard_linked(workspace: Path) -> str:
    os.link(workspace / "accounts.csv", workspace.parent / "same.csv")
    return str(workspace.parent / "same.csv")


OVER_INPUTS: dict[str, Callable[[Path], str]] = {
    "a source": lambda w: str(w / "accounts.csv"),
    "a source by another way": lambda w: str(w / "rules" / ".." / "accounts.csv"),
    "a source by a link": linked,
    "a source by a hard link": hard_linked,
    "riskseg.toml": lambda w: str(w / "riskseg.toml"),
    "a strategy": lambda w: str(w / "rules" / "s" / "new.csv"),
    "another strategy": lambda w: str(w / "rules" / "new.csv"),
    "a model": lambda w: str(w / "models" / "new.csv"),
    "the state folder": lambda w: str(w / ".riskseg" / "new.csv"),
    "the journal": lambda w: f"sqlite:///{w / '.riskseg' / 'journal.db'}#decisions",
    "a folder": lambda w: str(w),
    "no known ending": lambda w: str(w / "out.xyz"),
    "a file that a pattern of a source takes": lambda w: str(w / "bills" / "new.csv"),
}


@pytest.mark.parametrize("place", OVER_INPUTS)
def test_outputs_never_take_the_place_of_inputs(workspace: Path, place: str) -> None:
    (workspace / "models").mkdir()
    (workspace / ".riskseg").mkdir()
    (workspace / "bills").mkdir()
    with (workspace / "riskseg.toml").open("a") as toml:
        toml.write('[source.bills]\nfrom = "bills/*.csv"\n')
    target = OVER_INPUTS[place](workspace)
    before = snapshot(workspace)
    with pytest.raises(ProblemsError) as raised:
        assign(workspace, DAY, target, at=AT)
    assert codes(raised.value) == ["RS010"]
    assert snapshot(workspace) == before


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://u:secret@h/d#t", "postgresql://u:***@h/d#t"),
        ("postgresql://u:se@cr/e#t@h/d#t", "postgresql://u:***@h/d#t"),
        ("p://u/x:pw@h/d#t", "p://u/x:***@h/d#t"),
        ("mysql://h/d?user=u&password=secret#t", "mysql://h/d?user=u&password=***#t"),
        ("x://h/d?password=pa#ss#t", "x://h/d?password=***#t"),
        ("x://h/d?password=pa&ss#t", "x://h/d?password=***&***#t"),
        ("x://h:5432/d?password=a@b#t", "x://h:***@b#t"),
        ("x://?odbc_connect=UID%3Du%3BPWD%3Dsecret#t", "x://?odbc_connect=***#t"),
        ("x://h/d?sslPassword=a&sslmode=require#t", "x://h/d?sslPassword=***&sslmode=require#t"),
        ("x://h/d?access_token=a&api-key=b#t", "x://h/d?access_token=***&api-key=***#t"),
        ("sqlite:///a.db#t", "sqlite:///a.db#t"),
    ],
)
def test_an_address_is_shown_without_its_secrets(address: str, shown: str) -> None:
    assert without_secrets(address) == shown


@pytest.mark.parametrize(
    "target",
    [
        "postgresql+nodriver://u:s3cret@localhost:1/d#t",
        "nonsense://u:s3cret@localhost/d#t",
        "postgresql://u:s3cret@x@localhost/d#t",
        "sqlite:////nowhere/at/all.db?password=s3cret#t",
        "postgresql://u:s3cret@localhost/d",
        "http://u:s3cret@[::1/d#t",
    ],
)
def test_no_message_holds_a_secret(workspace: Path, target: str) -> None:
    done = CliRunner().invoke(
        app, ["-w", str(workspace), "assign", "--as-of", str(DAY), "--out", target]
    )
    assert done.exit_code == 1, done.output
    assert "s3cret" not in done.output
    assert "s3cret" not in repr(done.exception)


def test_what_riskseg_keeps_is_for_its_owner(workspace: Path) -> None:
    decide(workspace, keep=True)
    state = workspace / ".riskseg"
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    for file in state.rglob("*"):
        if file.is_file() and file.name != "journalled":
            assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file


def test_part_files_of_others_are_left_alone(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    left = {}
    for workspace in (one, other):
        own_parts(workspace)
        left[workspace] = part_of(tmp_path / "out.csv", "run")
        left[workspace].touch()
    assert sweep([tmp_path]) == [left[other]]
    assert left[one].exists()
    own_parts(one)
    alive = left[one].with_name(left[one].name.replace(f"-{os.getpid()}.", "-1."))
    left[one].rename(alive)
    assert sweep([tmp_path]) == []  # process 1 is alive
    assert files.is_alive(os.getpid())


def test_scratch_of_a_dead_command_is_swept(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    opened = open_checked(workspace)
    with scratch_engine(opened):
        (mine,) = tmp_path.glob("riskseg-*")
        dead = mine.with_name(mine.name.replace(f"-{os.getpid()}-", "-999999999-"))
        dead.mkdir()
        stranger = tmp_path / "riskseg-000000000000-999999999-x"
        stranger.mkdir()
        with scratch_engine(opened):
            assert mine.exists()
            assert not dead.exists()
    assert not mine.exists()
    assert stranger.exists()


def test_a_text_that_begins_like_a_formula_is_none(tmp_path: Path) -> None:
    hostile = ["=cmd|x", "+1", "-1", "@a", "'=a", "plain", "a=b"]
    write(tmp_path, "id\n" + "".join(f'"{h}"\n' for h in hostile), FILES)
    assert set(decide(tmp_path)) == {"'=cmd|x", "'+1", "'-1", "'@a", "''=a", "plain", "a=b"}


def test_a_workspace_that_is_held_is_busy(workspace: Path) -> None:
    with workspace_lock(workspace):
        done = CliRunner().invoke(
            app, ["-w", str(workspace), "assign", "--as-of", str(DAY), "--out", "o.csv"]
        )
    assert (done.exit_code, "RS604" in done.output) == (4, True)


def run(workspace: Path, *words: str, **how: object) -> subprocess.Popen[str]:
    return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
        [sys.executable, "-m", "riskseg", "-w", str(workspace), *words],
        text=True,
        errors="replace",
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how},
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_command_with_one_line(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """A source that is a pipe keeps the command waiting until the signal comes."""
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    many = "".join(f"a{n},x\n" for n in range(400_000))
    workspace = write(tmp_path / "w", "id,note\n" + many, FILES)
    out = str(workspace / "o.csv")
    started = run(
        workspace,
        *("assign", "--as-of", str(DAY), "--out", out),
        env={**os.environ, "TMPDIR": str(scratch)},
    )
    assert started.stderr is not None
    assert started.stderr.readline()  # the first stage is under way
    time.sleep(0.2)
    started.send_signal(number)
    _, errors = started.communicate(timeout=60)
    # Where Ctrl-C comes while a module is imported, Python itself ends by the signal at the very
    # end. A shell says the same of both.
    assert started.returncode in (code, -number), errors
    assert "Traceback" not in errors
    assert errors.strip().splitlines()[-1].endswith("nothing was changed that was not finished.")
    assert not list(workspace.glob("*.part")) + list(workspace.glob(".*.part"))
    assert not list((workspace / ".riskseg").glob("scratch/*"))
    assert not list(scratch.iterdir())


@pytest.mark.parametrize(("words", "code"), [(["--version"], 0), (["--nonsense"], 2)])
def test_a_process_ends_at_once_when_all_is_said(words: list[str], code: int) -> None:
    start = """
import atexit
from riskseg.cli import main
class Held:
    def __del__(self):
        print("taken apart")
held = Held()
atexit.register(print, "what others do at the end")
main()
"""
    done = subprocess.run([sys.executable, "-c", start, *words], capture_output=True, text=True)
    said = done.stdout.strip().splitlines()
    assert (done.returncode, said[-1]) == (code, "what others do at the end"), done
    assert bool(done.stderr) == (code == 2) == (len(said) == 1)


@pytest.mark.parametrize("encoding", one_in(2, ["ascii", "latin-1", "cp1252", "utf-8"]))
@pytest.mark.parametrize("words", one_in(2, [["strategy", "show"], ["strategy", "show", "--json"]]))
def test_any_encoding_will_do(workspace: Path, encoding: str, words: list[str]) -> None:
    head = workspace / "rules" / "s" / "strategy.yaml"
    head.write_text(head.read_text().replace("to be tried", "für 名前 →"), encoding="utf-8")
    done = run(workspace, *words, env={**os.environ, "PYTHONIOENCODING": encoding})
    output, errors = done.communicate(timeout=60)
    assert (done.returncode, "Traceback" in errors) == (0, False), errors
    if "--json" in words:
        assert json.loads(output)["purpose"].startswith("f")


@pytest.mark.slow
def test_a_closed_output_is_no_fault(workspace: Path) -> None:
    command = f"{sys.executable} -m riskseg -w {workspace} strategy show"
    for shell in (f"{command} | head -1", f"{command} >&-", f"{command} 2>&-"):
        done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=60)
        assert "Traceback" not in done.stderr, done.stderr


def test_too_little_memory_is_a_problem(tmp_path: Path) -> None:
    many = "".join(f"a{n},{n * 7919 % 100_003}\n" for n in range(200_000))
    write(tmp_path, "id,note\n" + many, FILES, toml='[engine]\nmemory = "1MB"\n')
    with pytest.raises(ProblemsError) as raised:
        decide(tmp_path)
    assert codes(raised.value) == ["RS615"]
    assert raised.value.problems[0].file == "riskseg.toml"


def test_a_disk_without_room_is_a_problem(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", str(workspace / "x"))

    monkeypatch.setattr("riskseg.store.run_inputs.Keeping.describe", full)
    done = CliRunner().invoke(
        app,
        ["-w", str(workspace), "assign", "--as-of", str(DAY), "--out", str(workspace / "o.csv")],
    )
    assert done.exit_code == 1, done.output
    assert "no space left on device" in done.output
    assert json.loads((workspace / "o.csv.manifest.json").read_text())["kept"] is False


def test_names_in_brackets_are_no_styles(tmp_path: Path) -> None:
    """What people call things is shown as it is, control characters written out."""
    files = {
        "strategy.yaml": "name: s\npurpose: '[/p]'\nowner: '[/o]'\n"
        "actions: [{name: sms, channel: '[/c]'}]\n",
        "tiers.yaml": "'[/t]':\n  - {tier: a, when: \"note = '[/n]'\", unknown: skip}\n"
        "  - {tier: b, otherwise: true}\n",
        "segments.yaml": "columns: ['[/t]']\nrows:\n  - {id: q, match: [a], segment: miss}\n"
        "  - {id: r, match: [any], segment: miss}\n",
        "paths.yaml": "'[/x]':\n  for: [miss]\n  starts: as_of\n"
        "  steps: [{day: 0, action: sms, template: '[b]t[/]'}]\n",
    }
    root = write(tmp_path, 'id,note\n[/a],[/n]\n"\x1b[31mred",y\n', files)
    assigned = ["assign", "--as-of", str(DAY), "--out", str(root / "o.csv")]
    for words in (
        ["check"],
        ["strategy", "show"],
        ["strategy", "prove", "--granted", "--notes"],
        assigned,
        ["explain", "[/a]", "--as-of", str(DAY)],
        ["explain", "\x1b[31mred", "--run", "last"],
        ["explain", "\x1b[31mrad", "--as-of", str(DAY), "--fresh"],
        ["replay", "last"],
        ["journal", "show"],
    ):
        done = CliRunner().invoke(app, ["-w", str(root), *words])
        assert done.exit_code in (0, 1), (words, done.output, done.exception)
        assert "\x1b" not in done.output, words
