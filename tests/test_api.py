"""The Python API: what each method returns, shows and raises."""

from __future__ import annotations

import json
import logging
import random
import re
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import riskseg
from riskseg.api import Models, arguments
from riskseg.cli import app
from riskseg.results.schema import COMMANDS
from riskseg.run.assign import assign
from riskseg.run.replay import replay
from riskseg.store.files import sha256_of
from riskseg.store.lock import workspace_lock
from tests.docs.pages import ROOT
from tests.support.account_file import AT, DAY, codes, write

HEAVY = ("pandas", "duckdb", "lightgbm", "sklearn", "pyarrow", "numpy", "z3", "scipy")
RULES = {
    "tiers.yaml": "t:\n  - {tier: big, when: amount > 100, unknown: skip}\n"
    "  - {tier: small, otherwise: true}\n",
    "segments.yaml": "columns: [t]\nrows:\n  - {id: a, match: [big], segment: hit}\n"
    "  - {id: b, match: [any], segment: miss}\n",
    "examples.yaml": "examples:\n  - example: a large one\n    given: {amount: 200}\n"
    "    expect: {segment: hit}\n",
}
ACCOUNTS = "id,amount\n0001,200\n<b>&2,5\n0003,\n"
TYPES = {"amount": "integer"}


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> riskseg.Workspace:
    """Rules and three accounts, without a model."""
    folder = tmp_path_factory.mktemp("workspace")
    return riskseg.open(write(folder, ACCOUNTS, RULES, types=TYPES))


@pytest.fixture(scope="module")
def modelled(tmp_path_factory: pytest.TempPathFactory) -> riskseg.Workspace:
    """600 accounts and a model that can be learned from them."""
    draw = random.Random(7)  # noqa: S311 (invented data)
    rows = []
    for number in range(600):
        amount = draw.randrange(400)
        rows.append(f"<i>{number},{amount},{int(draw.random() < amount / 500)}")
    folder = tmp_path_factory.mktemp("modelled")
    write(
        folder,
        "id,amount,bad\n" + "\n".join(rows) + "\n",
        RULES,
        types={**TYPES, "bad": "integer"},
    )
    (folder / "models").mkdir()
    (folder / "models" / "loss.yaml").write_text(
        "name: loss\ntarget: {column: bad}\nhold_out: {share: 0.3}\nlearners: [scorecard]\n"
    )
    return riskseg.open(folder)


@pytest.mark.parametrize("statement", ["import riskseg", "import riskseg; riskseg.ProblemsError"])
def test_importing_the_package_loads_no_heavy_library(statement: str) -> None:
    script = f"import sys; {statement}; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_help_loads_no_heavy_library() -> None:
    script = (
        "import sys\nfrom riskseg.cli import app\n"
        "try: app(['--help'], prog_name='riskseg')\nexcept SystemExit: pass\n"
        f"print([m for m in {HEAVY} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip().splitlines()[-1] == "[]", done.stdout + done.stderr


# The method of each command.
METHODS = {
    "init": riskseg.init,
    "generate": riskseg.generate,
    "check": riskseg.Workspace.check,
    "features": riskseg.Workspace.features,
    "train": riskseg.Workspace.train,
    "score": riskseg.Workspace.score,
    "assign": riskseg.Workspace.assign,
    "ageing": riskseg.Workspace.ageing,
    "insight": riskseg.Workspace.insight,
    "report": riskseg.Workspace.report,
    "contract": riskseg.Workspace.contract,
    "explain": riskseg.Workspace.explain,
    "replay": riskseg.Workspace.replay,
    "history": riskseg.Workspace.history,
    "hold": riskseg.Workspace.hold,
    "promise": riskseg.Workspace.promise,
    "plan": riskseg.Workspace.plan,
    "dispute": riskseg.Workspace.dispute,
    "note": riskseg.Workspace.note,
    "rehearse": riskseg.Workspace.rehearse,
    "worklist": riskseg.Workspace.worklist,
    "worklist issue": riskseg.Workspace.issue,
    "worklist done": riskseg.Workspace.outcomes,
    "worklist approve": riskseg.Workspace.approve,
    "worklist reject": riskseg.Workspace.reject,
    "journal show": riskseg.Workspace.journal,
    "journal prune": riskseg.Workspace.prune,
    "journal erase": riskseg.Workspace.erase,
    "journal move": riskseg.Workspace.move_journal,
    "models": Models.list,
    "models show": Models.show,
    "models bins": Models.bins,
    "models promote": Models.promote,
    "models register": Models.register,
    "models import": Models.import_card,
    "models card": Models.card,
    "models export": Models.export,
    "models compare": Models.compare,
    "models recalibrate": Models.recalibrate,
    "strategy check": riskseg.Strategy.check,
    "strategy test": riskseg.Strategy.test,
    "strategy prove": riskseg.Strategy.prove,
    "strategy show": riskseg.Strategy.show,
    "strategy export": riskseg.Strategy.export,
    "strategy facts": riskseg.Strategy.facts,
    "strategy diff": riskseg.Strategy.diff,
    "strategy activate": riskseg.Strategy.activate,
    "strategy versions": riskseg.Strategy.activations,
    "strategy schema": riskseg.Strategy.schemas,
    "strategy sheet export": riskseg.Strategy.to_sheets,
    "strategy sheet import": riskseg.Strategy.from_sheets,
}


def test_every_command_has_a_method_that_returns_its_result() -> None:
    assert set(METHODS) == set(COMMANDS) - {"demo"}
    for command, method in METHODS.items():
        assert method.__annotations__["return"] == COMMANDS[command].__name__, command


def test_the_guide_lists_every_method() -> None:
    """Each by the command that it is, as in `| `ws.issue(…)` | `worklist issue` | the list |`."""
    rows = re.findall(r"^\| (`.+`) \| (`.+`) \|", (ROOT / "docs/guide/python.md").read_text(), re.M)
    listed = {
        command: name
        for names, commands in rows
        for name, command in zip(
            re.findall(r"`[a-z.]+?(\w+)\(…?\)`", names),
            re.findall("`(.+?)`", commands),
            strict=True,
        )
    }
    assert listed == {command: method.__name__ for command, method in METHODS.items()}


@pytest.mark.parametrize("given", ["2026-13-01", "2026/11/28", "tomorrow", "", None, 5])
def test_what_is_no_day_is_a_value_error(ws: riskseg.Workspace, given: object) -> None:
    with pytest.raises(ValueError, match="is not a day"):
        ws.assign(as_of=given)  # type: ignore[arg-type]


def test_what_a_run_measured_is_written_however_it_ends(
    ws: riskseg.Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by --metrics; the exit code is that of the command."""
    place = tmp_path / "m.json"

    def of(name: str) -> float:
        metrics = json.loads(place.read_text())["metrics"]
        (sample,) = next(m for m in metrics if m["name"] == f"riskseg_{name}")["samples"]
        value: float = sample["value"]
        return value

    ws.assign(as_of=DAY, at=AT, metrics=place)
    assert (of("exit_code"), of("activated")) == (0, 0)
    with pytest.raises(riskseg.ProblemsError) as error:
        ws.assign(as_of=DAY, at=AT, accounts_from=tmp_path / "none.csv", metrics=place)
    assert of("exit_code") == error.value.exit_code == 1
    with workspace_lock(ws.root), pytest.raises(riskseg.ProblemsError) as error:
        ws.issue(as_of=DAY, at=AT, metrics=place)
    assert of("exit_code") == error.value.exit_code == 4
    before = place.read_bytes()
    with pytest.raises(ValueError, match="is not a day"):
        ws.assign(as_of="soon", metrics=place)
    with pytest.raises(riskseg.ProblemsError, match="RS010"):
        ws.assign(as_of=DAY, metrics=tmp_path / "nowhere" / "m.prom")
    assert place.read_bytes() == before

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr("riskseg.run.assign.assign", broken)
    with pytest.raises(RuntimeError):
        ws.assign(as_of=DAY, metrics=place)
    assert of("exit_code") == 3


def test_only_what_nobody_should_miss_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """A scheduler raises an alarm on warnings: that all is as in training is none."""
    caplog.set_level(logging.INFO, "riskseg")
    shown = arguments.progress()
    shown.note("p_default: the features are as in training")
    shown.warn("The newest row of payments is old.")
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]


def test_every_public_name_is_there() -> None:
    assert {name for name in riskseg.__all__ if hasattr(riskseg, name)} == set(riskseg.__all__)
    assert set(riskseg.__all__) <= set(dir(riskseg))
    with pytest.raises(AttributeError, match="no attribute 'opne'"):
        riskseg.opne  # noqa: B018


def test_no_workspace_is_a_problem_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path, None):
        with pytest.raises(riskseg.ProblemsError) as error:
            riskseg.open(folder)
        assert codes(error.value) == ["RS001"]


def test_the_nearest_workspace_is_opened(
    ws: riskseg.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ws.root / "rules" / "s")
    assert riskseg.open().root == ws.root


def test_a_workspace_stays_where_it_was_opened(
    ws: riskseg.Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ws.root.parent)
    opened = riskseg.open(ws.root.name)
    monkeypatch.chdir(tmp_path)
    assert opened.check().problems == ()


def test_check_holds_what_was_found(ws: riskseg.Workspace) -> None:
    found = ws.check()
    assert (dict(found.rows), found.strategy, found.problems) == ({"accounts": 3}, "s", ())
    assert repr(found).splitlines()[-1] == "No problems."
    assert found.to_arrow().num_rows == 0
    assert list(found.to_pandas().columns) == ["code", "kind", "file", "line", "what", "hint"]


def test_check_raises_no_problem_and_shows_each_in_a_row(tmp_path: Path) -> None:
    tiers = RULES["tiers.yaml"].replace("amount", "amuont")
    ws = riskseg.open(write(tmp_path, ACCOUNTS, {**RULES, "tiers.yaml": tiers}, types=TYPES))
    found = ws.check()
    (row, *_) = found.to_arrow().to_pylist()
    assert (row["code"], row["file"], row["line"]) == ("RS303", "rules/s/tiers.yaml", 2)
    assert 'Did you mean "amount"?' in row["hint"]
    assert "rules/s/tiers.yaml:2" in repr(found)
    assert "<td>RS303</td>" in found._repr_html_()
    with pytest.raises(riskseg.ProblemsError, match=r"RS303 rules/s/tiers.yaml:2: .*Did you mean"):
        ws.assign(as_of=DAY, at=AT)


def test_decisions_stay_in_memory(ws: riskseg.Workspace) -> None:
    before = sorted(place.name for place in ws.root.iterdir())
    decisions = ws.assign(as_of="2026-01-01", at=AT)
    rows = {row["account_id"]: row["segment"] for row in decisions.to_arrow().to_pylist()}
    assert rows == {"0001": "hit", "<b>&2": "miss", "0003": "miss"}
    assert (decisions.as_of, decisions.rows, decisions.place) == (DAY, 3, "memory")
    left = {place.name for place in ws.root.iterdir()} - set(before)
    assert left <= {".riskseg"}
    frame = decisions.to_pandas()
    assert list(frame["account_id"]) == list(rows)
    title, columns, *segments = repr(decisions).splitlines()
    assert title.startswith("s as of 2026-01-01: 3 decisions in memory (run ")
    left = ["nothing", "further"]
    assert columns.split() == ["segment", "accounts", "overdue", "(GBP)", "due", "today", *left]
    assert [line.split()[:2] for line in segments] == [["hit", "1"], ["miss", "2"]]
    assert "<td>hit</td><td>1</td>" in decisions._repr_html_()


def test_decisions_in_memory_are_the_bytes_of_the_file(
    ws: riskseg.Workspace, tmp_path: Path
) -> None:
    place = tmp_path / "d.parquet"
    file = assign(ws.root, DAY, str(place), at=AT)
    decisions = ws.assign(as_of=DAY, at=AT)
    assert decisions.sha256 == file.sha256
    assert decisions.to_arrow().equals(pq.read_table(place))
    again = ws.assign(as_of=datetime(2026, 1, 1, 9, tzinfo=UTC))
    assert again.run_id == decisions.run_id != file.run_id


def test_a_run_in_memory_is_replayed_and_explained(ws: riskseg.Workspace) -> None:
    day = date(2026, 1, 15)
    decisions = ws.assign(as_of=day, at=AT)
    done = replay(ws.root, decisions.run_id)
    assert (done.verdict, done.file.state, done.output, done.same) == (
        "same bytes",
        "in memory",
        None,
        True,
    )
    shown = CliRunner().invoke(app, ["-w", str(ws.root), "replay", decisions.run_id])
    assert (shown.exit_code, "None" in shown.output) == (0, False), shown.output
    listed = CliRunner().invoke(app, ["-w", str(ws.root), "journal", "show"])
    assert (listed.exit_code, "None" in listed.output) == (0, False), listed.output
    reported = ws.explain("<b>&2", as_of=day)
    assert (reported.run, reported.decision["segment"]) == (decisions.run_id, "miss")
    assert ws.explain("<b>&2", run=decisions.run_id).decision == reported.decision


def test_what_is_shown_as_html_is_escaped(ws: riskseg.Workspace) -> None:
    reported = ws.explain("<b>&2", as_of=DAY, fresh=True)
    assert "&lt;b&gt;&amp;2 as of 2026-01-01" in reported._repr_html_()
    assert "<b>" not in reported._repr_html_()
    assert repr(reported).startswith("<b>&2 as of 2026-01-01: live, segment miss")
    assert [row["table"] for row in reported.to_arrow().to_pylist()] == ["t", "segments"]


def test_decisions_in_a_file_are_read_from_it(ws: riskseg.Workspace, tmp_path: Path) -> None:
    place = tmp_path / "d.parquet"
    decisions = ws.assign(as_of=DAY, out=place, at=AT)
    assert decisions.to_arrow().equals(pq.read_table(place))
    manifest = json.loads((tmp_path / "d.parquet.manifest.json").read_text())
    assert manifest["run"] == decisions.run_id
    place.write_bytes(b"another")
    with pytest.raises(riskseg.ProblemsError) as error:
        decisions.to_arrow()
    assert codes(error.value) == ["RS610"]
    assert "3 decisions" in repr(decisions)
    csv = ws.assign(as_of=DAY, out=tmp_path / "d.csv", at=AT)
    assert "hit" in repr(csv)
    with pytest.raises(ValueError, match=r"d\.csv"):
        csv.to_arrow()


@pytest.mark.parametrize(
    "call",
    [
        lambda ws: ws.assign(as_of="1 January 2026"),
        lambda ws: ws.assign(as_of=DAY, reasons="some"),
        lambda ws: ws.assign(as_of=DAY, at=datetime(2026, 1, 1)),
        lambda ws: ws.explain("0001"),
        lambda ws: ws.explain("0001", run="last", fresh=True),
        lambda ws: ws.models.promote("m", "1", reason="two\nlines"),
    ],
)
def test_an_argument_that_cannot_be_used(ws: riskseg.Workspace, call: object) -> None:
    with pytest.raises(ValueError):
        call(ws)  # type: ignore[operator]


def test_the_time_of_a_run_is_now_unless_it_is_given(tmp_path: Path) -> None:
    from riskseg.pipeline.open_journal import read_journal
    from riskseg.pipeline.session import open_checked

    ws = riskseg.open(write(tmp_path, ACCOUNTS, RULES, types=TYPES))
    ws.assign(as_of=DAY, at=AT)
    ws.assign(as_of=date(2026, 1, 2))
    with read_journal(open_checked(ws.root)) as journal:
        times = {run.as_of: run.at for run in journal.runs()}
    assert times[DAY] == AT
    assert abs((datetime.now(UTC) - times[date(2026, 1, 2)]).total_seconds()) < 600


def test_rules_without_a_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    strategy = riskseg.Strategy.read("rules/account-file")
    monkeypatch.chdir(tmp_path)
    checked, tested = strategy.check(), strategy.test()
    assert (checked.strategy, checked.from_data) == ("account-file", False)
    shown = strategy.show()
    assert shown.to_arrow().column_names[0] == "row"
    assert shown.to_arrow().num_rows == len(shown.rows)
    assert tested.problems == ()
    assert all(row["as_expected"] for row in tested.to_arrow().to_pylist())
    proof = strategy.prove()
    assert proof.verdict == "proved"
    assert set(proof.to_pandas()["verdict"]) == {"proved"}
    assert "0 refuted" in repr(proof)
    with pytest.raises(riskseg.ProblemsError) as error:
        riskseg.Strategy.read(ROOT / "rules" / "acount-file")
    assert codes(error.value) == ["RS230"]


def test_rules_of_a_workspace(tmp_path: Path) -> None:
    wrong = RULES["examples.yaml"].replace("hit", "miss")
    guard = "- {name: never, prove: action <> 'agency'}\n"
    files = {**RULES, "examples.yaml": wrong, "guards.yaml": guard}
    strategy = riskseg.open(write(tmp_path, ACCOUNTS, files, types=TYPES)).strategy()
    tested = strategy.test()
    assert [p.code for p in tested.problems] == ["RS211"]
    assert [row["as_expected"] for row in tested.to_arrow().to_pylist()] == [False]
    proof = strategy.prove()
    assert (proof.from_data, proof.verdict) == (True, "refuted")
    assert "refuted  declared  never" in repr(proof)
    assert "<td>refuted</td>" in proof._repr_html_()


def test_models_are_trained_listed_compared_and_score(
    modelled: riskseg.Workspace, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert repr(modelled.models.list()) == "0 versions."
    trained = modelled.train("loss", at=AT)
    (row,) = trained.to_arrow().to_pylist()
    assert (row["model"], row["learner"], row["champion"]) == ("loss", "scorecard", True)
    assert trained[0].version == row["version"]
    assert row["version"] in repr(trained)
    (version,) = modelled.models.list()
    assert (version.version, version.champion) == (row["version"], True)
    assert modelled.models.list().to_pandas()["at"].iloc[0] == AT
    shown = modelled.models.show("loss")
    assert shown.version == row["version"]
    assert shown.to_arrow()["feature"].to_pylist() == ["amount"]
    assert "It is the champion." in repr(shown)
    compared = modelled.models.compare("loss", f"loss@{row['version']}")
    assert compared.to_arrow()["metric"].to_pylist() == ["auc", "brier", "log_loss"]
    assert "auc" in repr(compared)
    promoted = modelled.models.promote("loss", row["version"][:6], by="ann", reason="a test", at=AT)
    assert promoted.version == row["version"]
    (version,) = modelled.models.list()
    assert version.promoted is not None
    assert (version.promoted.by, version.promoted.reason) == ("ann", "a test")
    listed = CliRunner().invoke(app, ["-w", str(modelled.root), "models"]).stdout
    since = f"is the champion since {AT.isoformat()}, by ann: a test."
    assert f"loss {row['version']} {since}" in " ".join(listed.split())

    place = tmp_path / "s.parquet"
    caplog.set_level(logging.INFO, "riskseg")
    scores = modelled.score(as_of=DAY)
    assert any(record.message.startswith("score: ") for record in caplog.records)
    written = modelled.score("loss", as_of=DAY, out=place)
    assert written.to_arrow().equals(scores.to_arrow())
    assert scores.sha256 == written.sha256 == sha256_of(place)
    assert scores.to_arrow()["p_loss"][0].as_py().as_tuple().exponent == -6
    assert isinstance(scores.to_pandas()["p_loss"][0], Decimal)
    title, columns, *rows = repr(scores).splitlines()
    assert title == "600 rows in memory. p_loss: 600 scored."
    assert columns.split() == ["account_id", "as_of", "p_loss", "version_loss"]
    assert (len(rows), rows[0].split()[0]) == (10, "<i>0")
    assert "<td>&lt;i&gt;0</td>" in scores._repr_html_()
    assert modelled.score(as_of=DAY, out=tmp_path / "s.csv")._repr_html_().startswith("<p>600 rows")


def test_decided_again_listed_pruned_and_erased(tmp_path: Path) -> None:
    ws = riskseg.open(write(tmp_path, ACCOUNTS, RULES, types=TYPES))
    assert "amount" in ws.features().to_arrow()["name"].to_pylist()
    assert "facts here" in repr(ws.features())
    decisions = ws.assign(as_of=DAY, at=AT)
    again = ws.replay()
    assert (again.run_id, again.same) == (decisions.run_id, True)
    assert again.to_arrow().to_pylist()[0]["verdict"] == "same bytes"
    assert repr(again).endswith("decided again, same bytes.")
    (entry,) = ws.journal().to_arrow().to_pylist()
    assert (entry["run_id"], entry["kept"]) == (decisions.run_id, True)
    later = datetime(2027, 1, 1, tzinfo=UTC)
    assert ws.prune("90 days", dry_run=True, at=later).runs == 1
    erased = ws.erase("0001", by="ann", at=AT)
    assert (erased.runs, erased.problems) == ((decisions.run_id,), ())
    assert [entry.by for entry in ws.journal().erasures] == ["ann"]
    assert ws.prune("90 days", at=later).left == 0
    with pytest.raises(riskseg.ProblemsError) as error:
        ws.replay()
    assert codes(error.value) == ["RS609"]


def test_a_strategy_is_put_in_force_compared_and_kept_in_sheets(tmp_path: Path) -> None:
    ws = riskseg.open(write(tmp_path, ACCOUNTS, RULES, types=TYPES))
    strategy = ws.strategy()
    activated = strategy.activate(by="ann", effective_from=DAY, at=AT)
    assert (activated.new, activated.proof.unproved) == (True, ())
    (entry,) = strategy.activations()
    assert (entry.version, entry.by) == (activated.version, "ann")
    tiers = tmp_path / "rules" / "s" / "tiers.yaml"
    tiers.write_text(tiers.read_text().replace("amount > 100", "amount > 4"))
    difference = ws.strategy(activated.version).diff(as_of=DAY)
    (moved,) = difference.moves.moves if difference.moves else ()
    assert (moved.old.segment, moved.new.segment, moved.accounts) == ("miss", "hit", 1)
    assert difference.to_arrow()["file"].to_pylist() == ["tiers.yaml"]
    assert "1 of 3 accounts move" in repr(difference)
    written = strategy.to_sheets(tmp_path / "tables.xlsx")
    assert dict(written.rows) == {"segments": 2, "t": 2}
    read = strategy.from_sheets(tmp_path / "tables.xlsx", dry_run=True)
    assert (read.files, [table.differs for table in read.tables]) == ((), [False, False])
    beside = strategy.diff(as_of=DAY, out=tmp_path / "movers.csv")
    assert (beside.old.fingerprint, beside.movers and beside.movers.rows) == (activated.version, 1)
    with pytest.raises(ValueError, match="Give as_of"):
        strategy.diff(out=tmp_path / "movers.csv")
    with pytest.raises(ValueError, match="needs a workspace"):
        riskseg.Strategy.read(tmp_path / "rules" / "s").activate(by="ann")
    with pytest.raises(ValueError, match="reason"):
        strategy.activate(by="ann", unproved=True)


def test_versions_are_shown_exported_moved_and_imported(
    modelled: riskseg.Workspace, tmp_path: Path
) -> None:
    ws = riskseg.open(shutil.copytree(modelled.root, tmp_path / "own"))
    version = ws.train("loss", at=AT)[0].version
    models = ws.models
    assert models.bins("loss").to_arrow()["feature"].to_pylist() == ["amount"]
    assert models.card("loss", tmp_path / "card.html").version == version
    assert (tmp_path / "card.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    exported = models.export("loss", "sql", out=tmp_path / "loss.sql")
    assert exported.difference is not None and exported.difference < 1e-6
    moved = models.recalibrate("loss", at=AT)
    assert (moved.parent, moved.champion) == (version, False)
    assert "auc" in moved.to_arrow()["metric"].to_pylist()
    elsewhere = riskseg.open(write(tmp_path / "other", ACCOUNTS, RULES, types=TYPES))
    registered = elsewhere.models.register(ws.root / "models" / "loss" / version, at=AT)
    assert (registered.version, registered.champion) == (version, True)
    card = tmp_path / "card.csv"
    card.write_text("feature,bin,points\nbase,,500\namount,<= 100,20\namount,> 100,-20\n")
    made = models.import_card(
        card, "made", pdo=20, points_at_odds=(600, 50), target="column:bad", at=AT
    )
    assert (made.features, made.champion) == (1, True)
    with pytest.raises(ValueError, match="go together"):
        models.import_card(card, "made", pdo=20)


def test_a_workspace_is_begun_and_filled(tmp_path: Path) -> None:
    made = riskseg.init(tmp_path / "new")
    assert "riskseg.toml" in made.written
    written = riskseg.generate(tmp_path / "new" / "data", accounts=20, months=3)
    assert "bills.parquet" in written.files
    assert riskseg.open(tmp_path / "new").check().rows["bills"] > 0
