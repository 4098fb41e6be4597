"""Versions by their beginning, champions whose folder is gone, and versions from elsewhere."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from riskseg.cli import app
from riskseg.domain.problems import Problem, ProblemsError
from riskseg.learning.artefact import version_of
from riskseg.run import models as versions
from riskseg.run.assign import assign
from riskseg.run.register import register
from riskseg.run.score import score
from riskseg.run.train import train
from riskseg.store.journal import Journal
from tests.support import portfolio as p

Copy = Callable[[Path], Path]
MODEL = "late_payment"


@pytest.fixture(scope="module")
def two(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a champion and a later version of one model. Not to be changed."""
    workspace = p.copied(trained, tmp_path_factory.mktemp("two") / "workspace")
    p.replace(workspace, f"models/{MODEL}.yaml", "seed: 7", "seed: 8")
    [done] = train(workspace, (MODEL,), at=p.AT)
    assert not done.champion
    return workspace


def names(workspace: Path) -> tuple[str, str]:
    """The champion, and the later version."""
    with Journal.open(workspace / ".riskseg/journal.db") as journal:
        later, first = journal.models(MODEL)
        champion = journal.champion(MODEL)
    assert champion == first
    return first.version, later.version


def champion(workspace: Path) -> str:
    with Journal.open(workspace / ".riskseg/journal.db") as journal:
        found = journal.champion(MODEL)
    assert found is not None
    return found.version


def problem_of(use: Callable[[], object]) -> Problem:
    with pytest.raises(ProblemsError) as raised:
        use()
    [found] = raised.value.problems
    return found


def run(workspace: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["-w", str(workspace), "models", *words])
    return done.exit_code, done.output


def test_a_version_by_its_beginning(two: Path, copy_of: Copy, tmp_path: Path) -> None:
    workspace = copy_of(two)
    first, later = names(workspace)
    start = next(n for n in range(1, 13) if first[:n] != later[:n])
    for version in (later[:start], later[:6], later):
        assert versions.show(workspace, MODEL, version).version == later
        assert versions.show(workspace, f"{MODEL}@{version}").version == later
    assert versions.card(workspace, MODEL, later[:6], tmp_path / "card.html").version == later
    code, reported = run(workspace, "export", MODEL, later[:6], "--to", "points.csv",
                     "--out", str(tmp_path / "points.csv"))  # fmt: skip
    assert (code, later in reported) == (0, True), reported
    for unknown in ("", "zz", f"{later}0", "../default"):
        assert problem_of(lambda v=unknown: versions.show(workspace, MODEL, v)).code == "RS401"  # type: ignore[misc]
    code, reported = run(workspace, "promote", MODEL, later[:6])
    assert (code, f"{MODEL} {later} is the champion now." in reported) == (0, True), reported
    assert champion(workspace) == later


def test_a_beginning_of_two_versions(two: Path, copy_of: Copy) -> None:
    workspace = copy_of(two)
    first, _ = names(workspace)
    twin = first[:4] + "0" * 8
    shutil.copytree(workspace / "models" / MODEL / first, workspace / "models" / MODEL / twin)
    found = problem_of(lambda: versions.show(workspace, MODEL, first[:4]))
    assert found.code == "RS401"
    assert first in found.what and twin in found.what


def test_a_champion_whose_folder_is_gone(two: Path, copy_of: Copy) -> None:
    workspace = copy_of(two)
    first, later = names(workspace)
    shutil.rmtree(workspace / "models" / MODEL / first)
    out = str(workspace / "out.csv")
    for use in (
        lambda: versions.show(workspace, MODEL),
        lambda: versions.show(workspace, MODEL, first[:6]),
        lambda: assign(workspace, p.AS_OF, out, at=p.AT),
        lambda: score(workspace, p.AS_OF, out, names=(MODEL,)),
        lambda: versions.promote(workspace, MODEL, first, at=p.AT, by="ann", reason=""),
    ):
        found = problem_of(use)
        assert found.code == "RS410"
        assert first in found.what and "champion" in found.what
        assert later in found.hint and "models promote" in found.hint
    listed = {v.version: v for v in versions.versions(workspace) if v.model == MODEL}
    assert (listed[first].there, listed[first].champion, listed[later].there) == (False, True, True)
    code, reported = run(workspace)
    assert (code, "its folder is gone" in reported) == (0, True)
    versions.promote(workspace, MODEL, later[:6], at=p.AT, by="ann", reason="")
    assert f"{MODEL} {later}" in assign(workspace, p.AS_OF, out, at=p.AT).models.values()


@pytest.mark.slow
def test_training_follows_on_a_champion_that_is_gone(two: Path, copy_of: Copy) -> None:
    workspace = copy_of(two)
    first, later = names(workspace)
    shutil.rmtree(workspace / "models" / MODEL)
    found = problem_of(lambda: versions.show(workspace, MODEL))
    assert (found.code, "riskseg train" in found.hint) == ("RS410", True)
    [done] = train(workspace, (MODEL,), at=p.AT)
    assert (done.version, done.champion, champion(workspace)) == (later, True, later)
    with Journal.open(workspace / ".riskseg/journal.db") as journal:
        last = journal.promotions(MODEL)[0]
    assert (last.by, first in last.reason) == ("train", True)
    # The very version that is gone, trained again, is the champion that it was.
    shutil.rmtree(workspace / "models" / MODEL)
    assert train(workspace, (MODEL,), at=p.AT)[0].champion
    with Journal.open(workspace / ".riskseg/journal.db") as journal:
        assert journal.promotions(MODEL)[0] == last


def test_a_version_from_elsewhere(two: Path, sound: Path, copy_of: Copy, tmp_path: Path) -> None:
    first, later = names(two)
    workspace = copy_of(sound)
    moved = tmp_path / "whatever it is called"
    shutil.copytree(two / "models" / MODEL / first, moved)
    (moved / "notes.txt").write_text("not of the version")
    done = register(workspace, moved, at=p.AT, by="ann")
    assert (done.model, done.version, done.champion, done.notes) == (MODEL, first, True, ())
    place = workspace / "models" / MODEL / first
    assert done.place == f"models/{MODEL}/{first}"
    assert not (place / "notes.txt").exists()
    assert versions.show(workspace, MODEL).version == first
    scored = score(workspace, p.AS_OF, str(tmp_path / "s.csv"), names=(MODEL,))
    assert scored.models[MODEL] == first

    # Another waits to be promoted, unless it is asked for; to repeat it changes nothing.
    other = two / "models" / MODEL / later
    assert not register(workspace, other, at=p.AT, by="ann").champion
    assert not register(workspace, other, at=p.AT, by="ann").champion
    assert champion(workspace) == first
    assert register(workspace, other, at=p.AT, by="ann", promote=True, reason="newer").champion
    assert champion(workspace) == later
    with Journal.open(workspace / ".riskseg/journal.db") as journal:
        assert len(journal.models(MODEL)) == 2
        assert (journal.promotions(MODEL)[0].by, journal.promotions(MODEL)[0].reason) == (
            "ann",
            "newer",
        )
    # A copy of a champion that was lost is the champion again.
    kept = tmp_path / later
    shutil.move(workspace / "models" / MODEL / later, kept)
    assert register(workspace, kept, at=p.AT, by="ann").champion


def test_a_folder_that_was_copied_into_its_place(two: Path, sound: Path, copy_of: Copy) -> None:
    first, _ = names(two)
    workspace = copy_of(sound)
    place = workspace / "models" / MODEL / first
    shutil.copytree(two / "models" / MODEL / first, place)
    (workspace / f"models/{MODEL}.yaml").unlink()
    found = problem_of(
        lambda: versions.promote(workspace, MODEL, first, at=p.AT, by="ann", reason="")
    )
    assert (found.code, "models register" in found.hint) == ("RS401", True)
    code, reported = run(workspace, "register", str(place), "--by", "ann")
    assert (code, "it is the champion" in reported, "needs its spec" in reported) == (
        0,
        True,
        True,
    ), reported
    code, reported = run(workspace, "register", str(place), "--by", "ann", "--json")
    assert (code, json.loads(reported)["version"]) == (0, first)


def _manifest(folder: Path, **changes: object) -> None:
    reported = json.loads((folder / "manifest.json").read_text()) | changes
    (folder / "manifest.json").write_text(json.dumps(reported))


def _lose(folder: Path) -> None:
    (folder / "reference.json").unlink()


def _empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing in it": (_empty, "RS401"),
    "no folder": (shutil.rmtree, "RS401"),
    "a file that was changed": (lambda f: (f / "calibration.json").write_text("{}"), "RS406"),
    "a file that is missing": (_lose, "RS406"),
    "no JSON": (lambda f: (f / "manifest.json").write_text("{"), "RS406"),
    "no mapping": (lambda f: (f / "manifest.json").write_text("[]"), "RS406"),
    "no text": (lambda f: (f / "manifest.json").write_bytes(b"\xff\xfe\x00"), "RS406"),
    "an empty manifest": (lambda f: (f / "manifest.json").write_text("{}"), "RS406"),
    "a later format": (lambda f: _manifest(f, format=99), "RS406"),
    "a name that leads outside": (lambda f: _manifest(f, name="../out"), "RS406"),
    "a name that is no text": (lambda f: _manifest(f, name=3), "RS406"),
    "files that lead outside": (lambda f: _manifest(f, files={"../x": "00"}), "RS406"),
    "files that are none": (lambda f: _manifest(f, files=3), "RS406"),
    "no features": (lambda f: _manifest(f, features=[]), "RS406"),
}


def _spoil(file: str, *path: str | int, to: object) -> Callable[[Path], object]:
    """Another value at a place of a file, with all hashes made consistent."""

    def spoil(folder: Path) -> None:
        data = json.loads((folder / file).read_text())
        if path:
            inner = data
            for step in path[:-1]:
                inner = inner[step]
            inner[path[-1]] = to
        else:
            data = to
        (folder / file).write_text(json.dumps(data))
        reported = json.loads((folder / "manifest.json").read_text())
        for name in reported["files"]:
            reported["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        (folder / "manifest.json").write_text(json.dumps(reported))

    return spoil


def _as_text(folder: Path) -> None:
    """The feature of the first table as a text: its bins are of numbers."""
    card, reported = (
        json.loads((folder / name).read_text()) for name in ("scorecard.json", "manifest.json")
    )
    name = card["features"][0]["feature"]
    features = [f | {"kind": "text"} if f["name"] == name else f for f in reported["features"]]
    _spoil("manifest.json", "features", to=features)(folder)


CARD = ("scorecard.json", "features", 0, "bins", 0)
INCONSISTENT: dict[str, Callable[[Path], object]] = {
    "an empty reference": _spoil("reference.json", to={}),
    "a reference of no rows": _spoil("reference.json", "rows", to=0),
    "a group without a share": _spoil("reference.json", "probability", "shares", to=[1.0]),
    "an empty evidence": _spoil("evidence.json", to={}),
    "effects of nothing": _spoil("evidence.json", "effects", to=[]),
    "an effect of text": _spoil("evidence.json", "effects", 0, "points", 0, "margin", to="x"),
    "points of 30 digits": _spoil(*CARD, "points", to="9" * 30),
    "points that are no number": _spoil(*CARD, "points", to="abc"),
    "a bin too few": _spoil("scorecard.json", "features", 0, "bins", to=[]),
    "a bin that begins elsewhere": _spoil(*CARD, "from", to=-1.0),
    "a scale of 0": _spoil("scorecard.json", "scale", "points_to_double_odds", to=0),
    "odds below 0": _spoil("scorecard.json", "scale", "odds_good_to_bad", to=-1.0),
    "no calibration": _spoil("calibration.json", to={}),
    "a slope that is no number": _spoil(
        "calibration.json", "scorecard", to={"kind": "sigmoid", "slope": float("nan")}
    ),
    "a slope that falls": _spoil(
        "calibration.json", "scorecard", to={"kind": "sigmoid", "slope": -1.0}
    ),
    "a slope beyond floats": _spoil(
        "calibration.json", "scorecard", to={"kind": "sigmoid", "slope": 10**400}
    ),
    "a direction of 7": _spoil("manifest.json", "features", 0, "direction", to=7),
    "a feature of another kind": _spoil("manifest.json", "features", 0, "kind", to="date"),
    "a number that is text": _as_text,
    "a feature that is not listed": _spoil("scorecard.json", "features", 0, "feature", to="x"),
    "no spec": _spoil("manifest.json", "spec", to=None),
    "no target": _spoil("manifest.json", "spec", "target", to={}),
    "days that are SQL": _spoil(
        "manifest.json", "spec", "target", "days_past_due", to="1 or 1 = 1"
    ),
    "no metrics": _spoil("manifest.json", "metrics", to={}),
    "metrics that are text": _spoil(
        "manifest.json", "metrics", "scorecard", "hold_out", to={"auc": "high"}
    ),
    "a hold-out of a word": _spoil("manifest.json", "hold_out", to="late"),
    "a date that is none": _spoil("manifest.json", "hold_out", "from", to="soon"),
    "a name that is taken": _spoil("manifest.json", "name", to="features"),
    "a card that cannot be drawn": _spoil("evidence.json", "calibration", to=[{"mean": "x"}]),
}
DAMAGE |= {name: (spoil, "RS406") for name, spoil in INCONSISTENT.items()}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_no_version_is_not_registered(
    damage: str, two: Path, sound: Path, tmp_path: Path
) -> None:
    spoil, code = DAMAGE[damage]
    folder = tmp_path / "copied"
    shutil.copytree(two / "models" / MODEL / names(two)[0], folder)
    spoil(folder)
    before = sorted(sound.rglob("*"))
    found = problem_of(lambda: register(sound, folder, at=p.AT, by="ann"))
    assert (found.code, str(folder) in str(found.file)) == (code, True)
    added = set(sound.rglob("*")) - set(before)
    assert not [a for a in added if "models" in a.parts or a.name == "journal.db"]


def test_a_version_that_needs_other_facts(two: Path, copy_of: Copy, tmp_path: Path) -> None:
    """Its hash is right: it is the workspace that it does not fit."""
    workspace = copy_of(two)
    folder = tmp_path / "copied"
    shutil.copytree(two / "models" / MODEL / names(two)[0], folder)
    text = (folder / "manifest.json").read_text()
    _manifest(folder, population="never_heard_of > 1")
    assert version_of((folder / "manifest.json").read_bytes()) != version_of(text.encode())
    found = problem_of(lambda: register(workspace, folder, at=p.AT, by="ann"))
    assert found.code in ("RS303", "RS409")
