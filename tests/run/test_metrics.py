"""What --metrics writes: the figures of the result, as JSON by its schema and as OpenMetrics text
that the parser of Prometheus' client takes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as older_format
from typer.testing import CliRunner

from riskseg.cli import app
from riskseg.results.metrics import RunMetrics, metric
from riskseg.results.models import TrainedModel, Training
from riskseg.results.schema import json_schema
from riskseg.run import models
from riskseg.run.metrics import last_success, metrics_of, metrics_of_failure, write
from riskseg.run.score import score
from riskseg.store.lock import workspace_lock
from riskseg.store.sinks import InMemory
from tests.support import portfolio, treated

DAY = date(2026, 3, 2)
AT = datetime(2026, 3, 3, 4, 5, 6, tzinfo=UTC)
Values = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return treated.write(
        tmp_path_factory.mktemp("metrics") / "w",
        paths={"calls": {"steps": [{"day": 3, "action": "call"}]}},
        rows={
            "accounts": [{"account_id": f"A{n}", "treatment": "calls"} for n in range(4)],
            "bills": [
                {
                    "account_id": f"A{n}",
                    "bill_id": "B",
                    "due_on": DAY - timedelta(days=3 + n),
                    "amount": f"{10 + n}.25",
                }
                for n in range(4)
            ],
        },
    )


def run(workspace: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["-w", str(workspace), *words])


def values(text: str) -> Values:
    """The samples of OpenMetrics text; every metric is described, and none is there twice."""
    found = {}
    for family in text_string_to_metric_families(text):
        assert family.type == "gauge" and family.documentation and family.samples
        for sample in family.samples:
            assert sample.labels["command"] and sample.labels["workspace"]
            key = (sample.name, _without_run(sample.labels))
            assert key not in found
            found[key] = sample.value
    older = {
        (sample.name, _without_run(sample.labels)): sample.value
        for family in older_format(text)
        for sample in family.samples
    }
    assert older == found
    return found


def _without_run(labels: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """The labels of a sample but those that every sample of its file has."""
    return frozenset(labels.items() - {(n, labels[n]) for n in ("command", "workspace")})


def of_json(content: Any) -> Values:
    """The samples of the JSON, which is by its schema."""
    schema = json_schema()
    jsonschema.validate(content, {**schema["metrics"], "$defs": schema["$defs"]})
    return {
        (metric["name"], frozenset(sample["labels"].items())): sample["value"]
        for metric in content["metrics"]
        for sample in metric["samples"]
    }


def value(found: Values, name: str, **labels: str) -> float:
    return found[f"riskseg_{name}", frozenset(labels.items())]


@pytest.mark.parametrize("ending", [".json", ".prom", ".txt"])
def test_assign_writes_what_its_result_has(workspace: Path, ending: str) -> None:
    place = workspace / f"metrics{ending}"
    out = str(workspace / "d.csv")
    words = ("assign", "--as-of", str(DAY), "--out", out, "--metrics", str(place), "--json")
    done = run(workspace, *words)
    assert done.exit_code == 0, done.output
    result, text = json.loads(done.stdout), place.read_text()
    found = of_json(json.loads(text)) if ending == ".json" else values(text)
    assert value(found, "run", run_id=result["run_id"]) == 1
    for outlook, total in result["segments"][0]["outlook"].items():
        assert value(found, "accounts", segment="calls", outlook=outlook) == total["accounts"]
        assert value(found, "overdue", segment="calls", outlook=outlook) == float(total["overdue"])
    assert value(found, "actions_due", action="call") == 3
    assert value(found, "source_rows", source="bills", state="read") == 4
    assert value(found, "money", part="paid_in") == 0
    added_up = [value(found, "overdue_added_up", by=by) for by in ("account", "segment")]
    assert added_up == [47.0, 47.0]
    midnight = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC).timestamp()
    assert value(found, "as_of_timestamp_seconds") == midnight
    stages = {dict(labels)["stage"] for name, labels in found if name == "riskseg_stage_seconds"}
    assert stages == {"load", "rules", "facts", "score", "decide", "write", "journal"}
    assert all(found[key] >= 0 for key in found if key[0] == "riskseg_stage_seconds")


def test_worklist_issue_writes_its_counts(workspace: Path) -> None:
    place = workspace / "issued.prom"
    out = str(workspace / "list.csv")
    words = ("worklist", "issue", "--as-of", str(DAY), "--out", out, "--metrics", str(place))
    assert run(workspace, *words).exit_code == 0
    found = values(place.read_text())
    listed = {"action": "call", "channel": "phone", "state": "listed"}
    assert value(found, "worklist_actions", **listed) == 3
    assert value(found, "issued_actions", state="new") == 3
    assert run(workspace, *words).exit_code == 0
    again = values(place.read_text())
    assert [value(again, "issued_actions", state=state) for state in ("issued", "new")] == [3, 0]


def test_files_of_several_commands_and_workspaces_are_read_as_one(
    workspace: Path, tmp_path: Path
) -> None:
    """A collector takes no value that stands in two of its files."""
    keys = []
    for folder in (workspace, Path(shutil.copytree(workspace, tmp_path / "other"))):
        for words in (("assign",), ("worklist", "issue")):
            place, out = tmp_path / "m.prom", str(folder / "out.csv")
            run(folder, *words, "--as-of", str(DAY), "--out", out, "--metrics", str(place))
            keys += [
                (sample.name, frozenset(sample.labels.items()))
                for family in text_string_to_metric_families(place.read_text())
                for sample in family.samples
            ]
    assert len(keys) == len(set(keys)) > 4


def test_a_place_that_cannot_be_written_is_a_problem_before_the_work(workspace: Path) -> None:
    out = workspace / "none.csv"
    for place in ("metrics.yaml", "riskseg.toml", "nowhere/m.prom"):
        words = ("assign", "--as-of", str(DAY), "--out", str(out))
        done = run(workspace, *words, "--metrics", str(workspace / place))
        assert done.exit_code == 1 and done.stderr.startswith("RS010")
    assert not out.exists()


@pytest.mark.parametrize("ending", [".json", ".prom"])
def test_a_command_that_fails_writes_how_it_ended(workspace: Path, ending: str) -> None:
    place = workspace / f"failed{ending}"
    words = ("assign", "--out", str(workspace / "d.csv"), "--metrics", str(place))
    succeeded = 0.0
    for day, code in (
        (str(DAY), 0),
        ("1950-01-01", 1),
        ("1950-01-01", 1),
        (str(DAY), 0),
    ):
        done = run(workspace, *words, "--as-of", day)
        assert done.exit_code == code, done.output
        text = place.read_text()
        found = of_json(json.loads(text)) if ending == ".json" else values(text)
        assert value(found, "exit_code") == code
        names = {name for name, _ in found}
        finished = value(found, "finished_timestamp_seconds")
        succeeded = finished if code == 0 else succeeded
        assert value(found, "last_success_timestamp_seconds") == succeeded <= finished
        assert ("riskseg_accounts" in names) is (code == 0)
        assert ("riskseg_problems" in names) is (code == 1)
    run(workspace, *words, "--as-of", "1950-01-01", "--plan")
    assert "riskseg_problems" not in place.read_text()  # a plan measures nothing


@pytest.mark.parametrize("ending", [".json", ".prom"])
@pytest.mark.parametrize(
    ("before", "kept"),
    [
        (None, None),
        ("assign", 1_700_000_000.5),
        ("train", None),  # another command's
        ("assign, failed", None),
        ("garbled", None),
    ],
)
def test_a_run_that_fails_keeps_when_the_command_was_done_last(
    tmp_path: Path, ending: str, before: str | None, kept: float | None
) -> None:
    place = tmp_path / f"m{ending}"
    at = datetime.fromtimestamp(1_700_000_000.5, UTC)
    if before == "garbled":
        success = "riskseg_last_success_timestamp_seconds x"
        place.write_text(f'riskseg_run{{command="assign"}} 1\n{success}')
    elif before is not None and "failed" in before:
        failed = metrics_of_failure("assign", 1, [], {}, workspace="w", at=at, last_success=None)
        write(failed, place)
    elif before is not None:
        write(metrics_of(before, Training(()), {}, workspace="w", at=at), place)
    assert last_success(place, "assign") == kept


def test_a_failure_names_the_problems_and_the_stages_reached(workspace: Path) -> None:
    place = workspace / "busy.prom"
    with workspace_lock(workspace):
        words = ("worklist", "issue", "--as-of", str(DAY), "--out", str(workspace / "l.csv"))
        assert run(workspace, *words, "--metrics", str(place)).exit_code == 4
    found = values(place.read_text())
    assert value(found, "run") == 1
    assert value(found, "exit_code") == 4
    assert value(found, "problems", code="RS604") == 1


def test_a_workspace_that_cannot_be_opened_is_measured_too(tmp_path: Path) -> None:
    (tmp_path / "riskseg.toml").write_text("[workspace\n")
    (tmp_path / "bills.txt").write_text("account_id,amount\n")
    words = ("assign", "--as-of", str(DAY), "--out", str(tmp_path / "d.csv"), "--metrics")
    for name, written in (("m.prom", True), ("bills.txt", False), ("riskseg.toml", False)):
        place = tmp_path / name
        before = place.read_text() if place.exists() else ""
        assert run(tmp_path, *words, str(place)).exit_code == 1
        assert (place.exists() and place.read_text() != before) is written
    assert run(tmp_path, *words, str(tmp_path / "m.prom")).exit_code == 1  # over its own
    found = values((tmp_path / "m.prom").read_text())
    assert value(found, "problems", code="RS002") == 1


def test_metrics_go_nowhere_that_is_not_for_output(workspace: Path) -> None:
    place = next((workspace / "rules").iterdir()) / "m.prom"
    words = ("assign", "--as-of", str(DAY), "--out", str(workspace / "d.csv"))
    assert run(workspace, *words, "--metrics", str(place)).exit_code == 1
    assert not place.exists()


def test_scores_have_drift(trained: Path, tmp_path: Path) -> None:
    workspace = portfolio.copied(trained, tmp_path / "w")
    scores = score(workspace, portfolio.AS_OF, InMemory())
    found = values(
        metrics_of("score", scores, {"load": 0.5}, workspace="w", at=AT).as_openmetrics()
    )
    version = scores.models["default"]
    assert value(found, "scored", model="default", version=version) == scores.scored["default"]
    figures = {f.feature or "probability": f for f in scores.drift if f.model == "default"}
    assert {"probability"} < {*figures}
    for name, figure in figures.items():
        assert value(found, "drift_psi", model="default", of=name) == figure.psi
        assert value(found, "drift_differs", model="default", of=name) == figure.differs
    # What is beyond chance is what is said in words.
    said = " ".join(scores.differences["default"])
    for feature, figure in figures.items():
        name = "the probability" if feature == "probability" else feature
        assert figure.differs == (f"{name} is distributed differently" in said)


def test_training_has_the_measure_of_its_hold_out(trained: Path) -> None:
    summary = models.show(trained, "default", None)
    training = Training(
        (
            TrainedModel(
                name="default",
                version=summary.version,
                champion=summary.champion,
                summary=summary,
                champion_version=summary.champion_version,
            ),
        )
    )
    found = values(metrics_of("train", training, {}, workspace="w", at=AT).as_openmetrics())
    of = {"model": "default", "version": summary.version}
    assert summary.metrics.hold_out is not None
    assert value(found, "model_auc", **of) == summary.metrics.hold_out.auc
    assert value(found, "trained_rows", **of, part="training") == summary.training.rows
    assert value(found, "model_champion", **of) == summary.champion


@settings(max_examples=60, deadline=None)
@given(label=st.text(), number=st.floats(allow_nan=False, allow_infinity=False))
def test_any_label_and_number_are_read_back(label: str, number: float) -> None:
    measured = RunMetrics(
        command="assign",
        workspace="w",
        as_of=None,
        run_id=None,
        finished_at=AT,
        metrics=(metric("rows", 'A "help" \\ text.', [({"segment": label}, number)]),),
    )
    text = measured.as_openmetrics()
    # The parser reads line by line, and takes other signs than \n for the end of one.
    if len(text.splitlines()) == text.count("\n"):
        (family,) = text_string_to_metric_families(text)
        (sample,) = family.samples
        of_run = {"command": "assign", "workspace": "w"}
        assert (sample.labels, sample.value) == (of_run | {"segment": label}, number)
