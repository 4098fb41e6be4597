"""What can be done with a trained version: its card, exports, a comparison, a new calibration."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.learning.artefact import load
from riskseg.run import models as versions
from riskseg.run.compare import compare, next_step
from riskseg.run.export import Form, export
from riskseg.run.recalibrate import recalibrate
from riskseg.run.train import train
from tests.support import portfolio as p

Copy = Callable[[Path], Path]
# late_payment ships a scorecard here, default ships trees.
MODELS = ("late_payment", "default")
SINCE = date(2026, 1, 1)


def codes(error: pytest.ExceptionInfo[ProblemsError]) -> list[str]:
    return [problem.code for problem in error.value.problems]


@pytest.mark.parametrize("name", MODELS)
def test_the_card(trained: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "card.html"
    version = versions.card(trained, name, None, out).version
    page = out.read_text(encoding="utf-8")
    assert version in page and page.count("<svg") > 8
    for picture in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        ElementTree.fromstring(picture)  # noqa: S314
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    versions.card(trained, name, None, out)
    assert out.read_text(encoding="utf-8") == page


EXPORTS: list[tuple[str, Form]] = [
    ("late_payment", "sql"),
    ("late_payment", "onnx"),
    ("late_payment", "points.csv"),
    ("default", "sql"),
    ("default", "onnx"),
]


@pytest.mark.parametrize(("name", "form"), EXPORTS)
def test_an_export_gives_the_same_probabilities(
    trained: Path, tmp_path: Path, name: str, form: Form
) -> None:
    done = export(trained, name, None, form, tmp_path / "out")
    assert (tmp_path / "out").stat().st_size > 500
    if form == "points.csv":
        assert done.rows is None
    else:
        assert done.rows is not None and done.rows >= 3000
        assert done.difference is not None and done.difference <= 1.1e-6


def test_trees_have_no_points(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(ProblemsError) as error:
        export(trained, "default", None, "points.csv", tmp_path / "out")
    assert codes(error) == ["RS004"] and not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["late_payments", "late_payment@0123456789ab"])
def test_a_version_that_does_not_exist(trained: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(ProblemsError) as error:
        versions.card(trained, name, None, tmp_path / "card.html")
    assert codes(error) == ["RS401"]


def test_a_recalibrated_version(trained: Path, copy_of: Copy) -> None:
    workspace = copy_of(trained)
    parent = versions.show(workspace, "late_payment")
    done = recalibrate(workspace, "late_payment", since=SINCE, at=p.AT)
    assert done.parent == parent.version != done.version and not done.champion
    # The level is right for these accounts now, and the order of the accounts what it was.
    assert abs(done.after.calibration_intercept) < abs(done.before.calibration_intercept) or (
        abs(done.before.calibration_intercept) < 0.1
    )
    model = load(workspace / "models/late_payment" / done.version)
    assert model.manifest.parent == parent.version
    assert model.calibration.then is not None and model.calibration.then[0] == 1.0
    again = recalibrate(workspace, "late_payment", since=SINCE, at=p.AT)
    assert again.version == done.version

    reported = compare(workspace, "late_payment", f"late_payment@{done.version}", cut=None)
    assert reported.difference.auc == (0.0, 0.0, 0.0)
    assert reported.swap.only_a.rows == reported.swap.only_b.rows == 0
    assert reported.better is None or f"late_payment {done.version}" in reported.verdict[-1]
    assert reported.verdict[0].startswith("Both versions rank these accounts equally well")
    assert reported.notes == (
        f"late_payment {done.version} was recalibrated to some of these accounts.",
    )


@pytest.mark.parametrize(
    ("champion", "step"),
    [
        ("b", "The better one is the champion already."),
        ("a", "`riskseg models promote late b` makes the better one the champion."),
        (None, "`riskseg models promote late b` makes the better one the champion."),
        ("c", "`riskseg models compare late late@b` compares the better one with it."),
    ],
)
def test_the_better_version_is_promoted_after_it_was_compared_with_the_champion(
    champion: str | None, step: str
) -> None:
    assert next_step("late", "b", champion=champion, other="a").endswith(step)


def test_nothing_has_come_out_since(trained: Path, copy_of: Copy) -> None:
    with pytest.raises(ProblemsError) as error:
        recalibrate(copy_of(trained), "late_payment", at=p.AT)
    assert codes(error) == ["RS402"]


def test_another_question_is_no_ground_to_recalibrate(trained: Path, copy_of: Copy) -> None:
    workspace = copy_of(trained)
    p.replace(workspace, "models/late_payment.yaml", "days_past_due: 14", "days_past_due: 7")
    with pytest.raises(ProblemsError) as error:
        recalibrate(workspace, "late_payment", since=SINCE, at=p.AT)
    assert codes(error) == ["RS408"]


def test_a_spec_that_is_gone_is_named(trained: Path, copy_of: Copy) -> None:
    workspace = copy_of(trained)
    (workspace / "models/late_payment.yaml").unlink()
    for use in (
        lambda: recalibrate(workspace, "late_payment", since=SINCE, at=p.AT),
        lambda: compare(workspace, "late_payment", "late_payment", cut=None),
    ):
        with pytest.raises(ProblemsError) as error:
            use()
        assert codes(error) == ["RS401"]
        assert error.value.problems[0].file == "models/late_payment.yaml"


def test_a_date_is_no_group_to_be_judged_by(trained: Path, copy_of: Copy) -> None:
    workspace = copy_of(trained)
    spec = workspace / "models/late_payment.yaml"
    spec.write_text(spec.read_text() + "fairness: {by: [breathing_space_from]}\n")
    with pytest.raises(ProblemsError) as error:
        train(workspace, ("late_payment",), at=p.AT)
    (problem,) = error.value.problems
    assert problem.code == "RS501" and '"breathing_space_from" is a date' in problem.what


def test_different_questions_are_not_compared(trained: Path) -> None:
    with pytest.raises(ProblemsError) as error:
        compare(trained, "late_payment", "default", cut=None)
    assert codes(error) == ["RS408"]


def test_a_sample_of_goods_stands_for_all(sound: Path, copy_of: Copy) -> None:
    workspace = copy_of(sound)
    (workspace / "models/default.yaml").unlink()
    quick = "learners: [lightgbm]\nlightgbm: {search: none}"
    p.replace(workspace, "models/late_payment.yaml", "learners: [scorecard]", quick)
    whole = train(workspace, (), at=p.AT)[0].summary
    spec = workspace / "models/late_payment.yaml"
    spec.write_text(spec.read_text() + "sample: {goods: 500}\n")
    part = train(workspace, (), at=p.AT)[0].summary
    assert sum(counts.rows - counts.bad for counts in (whole.training, whole.hold_out)) > 500
    assert sum(counts.rows - counts.bad for counts in (part.training, part.hold_out)) <= 500
    for sampled, all_rows in (
        (part.training, whole.training),
        (part.hold_out, whole.hold_out),
    ):
        assert sampled.bad == all_rows.bad
        assert sampled.stands_for == pytest.approx(all_rows.rows, rel=0.12)


def test_what_was_never_seen_is_reported(trained: Path, copy_of: Copy) -> None:
    """A strange level, and a shift of what accounts owe."""
    from riskseg.run.assign import assign

    workspace = copy_of(trained)
    head, *bills = p.rows(workspace, "bills")
    amount = head.split(",").index("amount")

    def dearer(line: str) -> str:
        cells = line.split(",")
        cells[amount] = str(round(float(cells[amount]) * 5, 2))
        return ",".join(cells)

    p.write_rows(workspace, "bills", [head, *map(dearer, bills)])
    done = assign(workspace, p.AS_OF, str(workspace / "d.parquet"), at=p.AT)
    reported = [one for found in done.differences.values() for one in found]
    assert any("is distributed differently than in training" in one for one in reported)
    manifest = json.loads((workspace / "d.parquet.manifest.json").read_text())
    assert manifest["differences"] == {k: list(v) for k, v in done.differences.items()}
