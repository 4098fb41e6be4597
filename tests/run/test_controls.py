"""What an analyst does to a scorecard, and with one that was made elsewhere."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from riskseg.cli import app
from riskseg.domain.problems import ProblemsError
from riskseg.learning.scorecard.imported import Meaning
from riskseg.learning.scorecard.tables import Scale
from riskseg.pipeline.models import load_champions
from riskseg.pipeline.open_journal import read_journal
from riskseg.pipeline.session import open_checked
from riskseg.run import models as versions
from riskseg.run.bins import bins
from riskseg.run.check import check
from riskseg.run.explain import explain
from riskseg.run.export import export
from riskseg.run.import_card import import_card
from riskseg.run.recalibrate import recalibrate
from riskseg.run.replay import replay
from riskseg.run.score import score
from riskseg.run.train import train
from tests.support import account_file as a

TYPES = {"income": "double", "late": "integer", "bad": "integer"}
NOTHING = Meaning()
POINTS = Meaning(Scale(600, 50, 20))
CARD = """\
feature,from,to,levels,points,count,bad
base,,,,400,,
income,,2000,,10.5,300,90
income,2000,,,40,500,60
income,missing,,,5,0,0
late,,1,,30,,
late,2,4,,-5,,
late,5,,,-60,,
region,,,north|south,0,,
region,,,west,-12.25,,
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of an account file. Not to be changed."""
    random = np.random.default_rng(3)
    rows = ["id,income,late,region,bad"]
    for n in range(800):
        income, late = random.gamma(3, 900), random.poisson(1.3)
        odds = -1.2 - 0.0005 * (income - 2700) + 0.6 * late
        bad = int(random.random() < 1 / (1 + np.exp(-odds)))
        rows.append(f"{n},{income:.2f},{late},{('north', 'south', 'west')[n % 3]},{bad}")
    root = tmp_path_factory.mktemp("controls") / "workspace"
    root.mkdir()
    return a.write(root, "\n".join(rows) + "\n", {}, types=TYPES)


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Path:
    import shutil

    root = tmp_path / "workspace"
    shutil.copytree(made, root)
    (root / "models").mkdir(exist_ok=True)
    return root


def take(root: Path, text: str, meaning: Meaning = POINTS, **more: object):  # type: ignore[no-untyped-def]
    file = root / "card.csv"
    file.write_text(text, encoding="utf-8")
    more = {"target": "column:bad", **more}
    return import_card(root, file, "made", meaning, at=a.AT, **more)  # type: ignore[arg-type]


def scored(root: Path, column: str = "p_made") -> list[float]:
    score(root, a.DAY, str(root / "scores.csv"))
    with (root / "scores.csv").open() as file:
        return [float(row[column]) for row in csv.DictReader(file)]


def run(root: Path, *words: str) -> str:
    done = CliRunner().invoke(app, ["-w", str(root), *words])
    assert done.exit_code == 0, done.output
    return done.output


def test_a_card_made_elsewhere_scores_by_its_own_points(workspace: Path) -> None:
    done = take(workspace, CARD, reference_as_of=a.DAY)
    assert done.champion and done.spec == "models/made.yaml" and done.accounts == 800
    assert any("late: there is no row for missing" in note for note in done.notes)
    with (workspace / "accounts.csv").open() as file:
        rows = {int(row["id"]): row for row in csv.DictReader(file)}
    score(workspace, a.DAY, str(workspace / "scores.csv"))
    with (workspace / "scores.csv").open() as file:
        reported = {int(row["account_id"]): float(row["p_made"]) for row in csv.DictReader(file)}
    for n in range(0, 800, 37):
        row = rows[n]
        points = 400 + (10.5 if float(row["income"]) < 2000 else 40)
        late = int(row["late"])
        points += 30 if late <= 1 else -5 if late <= 4 else -60
        points += -12.25 if row["region"] == "west" else 0
        odds = np.log(2) * (600 - points) / 20 - np.log(50)
        assert reported[n] == pytest.approx(1 / (1 + np.exp(-odds)), abs=2e-6)


def test_every_command_takes_an_imported_version(workspace: Path) -> None:
    first = take(workspace, CARD)
    shown = json.loads(run(workspace, "models", "show", "made", "--json"))
    assert shown["imported"]["file"] == "card.csv" and shown["form"] == "imported"
    assert "not measured on outcomes yet" in run(workspace, "models", "show", "made")
    assert first.version in run(workspace, "models")
    run(workspace, "models", "card", "made", "--out", str(workspace / "card.html"))
    page = (workspace / "card.html").read_text()
    assert "made elsewhere" in page and "with 0 bad outcomes" not in page
    for form in ("sql", "onnx", "points.csv"):
        done = export(workspace, "made", None, form, workspace / f"out.{form}")  # type: ignore[arg-type]
        assert done.difference in (None, 0.0)
    income = bins(workspace, "made", feature="income").features[0]
    assert [b.accounts for b in income.bins] == [300, 500, 0] and income.iv is not None
    assert bins(workspace, "made", feature="late").features[0].iv is None
    moved = recalibrate(workspace, "made", at=a.AT)
    assert moved.parent == first.version and moved.rows == 800
    run(workspace, "models", "card", "made", moved.version, "--out", str(workspace / "c2.html"))
    assert "what it learned from is not known" in run(
        workspace, "models", "compare", "made", f"made@{moved.version}"
    )
    assert not [p for p in check(workspace).problems if p.code != "RS200"]


def test_drift_of_an_imported_version(workspace: Path) -> None:
    """It is measured against the accounts of a day, the card's own counts, or not at all."""

    def differences(text: str, **more: object) -> list[str]:
        take(workspace, text, promote=True, **more)
        return list(score(workspace, a.DAY, str(workspace / "s.csv")).differences["made"])

    uncounted = CARD.replace("300,90", ",").replace("500,60", ",").replace("5,0,0", "5,,")
    assert "without accounts to compare with" in " ".join(differences(uncounted))
    assert differences(uncounted, reference_as_of=a.DAY) == []
    skewed = CARD.replace("300,90", "30,9").replace("500,60", "5000,600")
    assert "income" in " ".join(differences(skewed))


def test_a_card_from_elsewhere_learned_from_nothing(workspace: Path) -> None:
    """So no column is new since then, what it leaves open is the mean of all its bins, and nothing
    is usual."""
    card = "feature,from,to,levels,points\nbase,,,,500\nincome,,2000,,10\nincome,2000,,,40\n"
    take(workspace, card + "region,,,north|south,10\nregion,,,other,-10\n", promote=True)
    done = score(workspace, a.DAY, str(workspace / "s.csv"))
    assert not [reported for reported in done.differences["made"] if "since training" in reported]
    reported = json.loads(run(workspace, "models", "show", "made", "--json"))["notes"]
    assert (
        "region: there is no row for missing: a null gets 0.00 points, the mean of its bins"
        in reported
    )
    with read_journal(open_checked(workspace)) as journal:
        made = load_champions(open_checked(workspace), {"made": "made"}, journal)["made"]
    assert made.ordinary.ends["income"] and not made.ordinary.usual


def test_what_is_exported_comes_back_the_same(workspace: Path) -> None:
    take(workspace, CARD)
    before = scored(workspace)
    export(workspace, "made", None, "points.csv", workspace / "out.csv")
    done = take(workspace, (workspace / "out.csv").read_text(), NOTHING, promote=True)
    assert done.champion and scored(workspace) == before


def test_tables_of_other_libraries(workspace: Path) -> None:
    theirs = (
        "Variable,Bin,Count,Event,WoE,Coefficient,Points\n"
        'income,"(-inf, 2000.00)",300,90,-0.6,-0.9,10.5\n'
        'income,"[2000.00, inf)",500,60,0.7,-0.9,40\n'
        "income,Special,0,0,0,-0.9,0\nincome,Missing,0,0,0,-0.9,5\n"
        'late,"[-Inf,2)%,%[9,Inf)",,,,,30\nlate,"[2,9)",,,,,-5\nlate,missing,,,,,0\n'
        "region,\"['north' 'south']\",,,,,0\nregion,west,,,,,-12\nregion,other,,,,,1\n"
        "region,missing,,,,,2\n"
    )
    done = take(workspace, theirs)
    assert done.notes == ("income: the row Special names no codes, and is left out",)
    late = bins(workspace, "made", feature="late").features[0]
    assert [b.points for b in late.bins] == [30.0, -5.0, 30.0, 0.0]
    woe = "feature,bin,woe,coefficient\nintercept,,,-1\nincome,< 2000,-0.6,-0.9\n"
    take(workspace, woe + "income,>= 2000,0.7,-0.9\nincome,missing,0,-0.9\n", NOTHING, promote=True)
    wanted = {round(float(1 / (1 + np.exp(1 - e))), 2) for e in (0.54, -0.63)}
    assert {round(p, 2) for p in scored(workspace)} == wanted


def test_points_that_rise_with_the_risk(workspace: Path) -> None:
    take(workspace, "feature,bin,points\nincome,< 2000,60\nincome,>= 2000,40\nincome,missing,0\n",
         Meaning(Scale(50, 1, 10), riskier=True))  # fmt: skip
    reported = {round(p, 3) for p in scored(workspace)}
    assert reported == {round(1 - 1 / 3, 3), round(1 / 3, 3)}


SEGMENTS = """\
columns: [risk]
rows:
  - {id: high, match: [high], segment: hit}
  - {id: rest, match: [any], segment: miss}
"""


def test_a_decision_by_an_imported_card_is_explained_and_replayed(workspace: Path) -> None:
    """Whatever card came after it, and as long as its own is there."""
    first = take(workspace, CARD)
    bands = "uses: {p_bad: made}\nbands: {risk: {of: p_bad, cuts: {low: 0.8, high: 1}}}\n"
    (workspace / "rules/s/strategy.yaml").write_text(a.HEAD + bands)
    (workspace / "rules/s/segments.yaml").write_text(SEGMENTS)
    rows = a.decide(workspace, keep=True)
    assert {row["segment"] for row in rows.values()} == {"hit", "miss"}
    assert replay(workspace, "last").verdict == "same bytes"

    take(workspace, CARD.replace(",40,500,60", ",-40,500,60"), promote=True)
    replayed = replay(workspace, "last", from_source=True)
    assert replayed.verdict == "same bytes"
    assert replayed.since is not None and replayed.since.decisions is not None
    assert replayed.since.decisions.rows == 0
    hit = next(account for account, row in rows.items() if row["segment"] == "hit")
    story = explain(workspace, hit, a.DAY)
    assert story.scores[0].version == first.version and story.scores[0].reasons
    assert str(story.decision["p_bad"]) == rows[hit]["p_bad"]
    assert {change.name for change in story.changes} <= {"segment", "path", "action"}
    assert explain(workspace, hit, a.DAY, fresh=True).scores[0].version != first.version

    (workspace / "models/made" / first.version).rename(workspace / "aside")
    with pytest.raises(ProblemsError) as raised:
        replay(workspace, "last")
    assert a.codes(raised.value) == ["RS611"]


def test_train_leaves_alone_what_has_no_spec(workspace: Path) -> None:
    done = take(workspace, CARD)
    (workspace / "models/made.yaml").unlink()
    ran = CliRunner().invoke(app, ["-w", str(workspace), "train", "--json"])
    assert (ran.exit_code, json.loads(ran.stdout)) == (0, [])
    assert "made: there is no models/made.yaml, so it is not learned" in ran.stderr
    with pytest.raises(ProblemsError) as raised:
        train(workspace, ["made"], at=a.AT)
    (problem,) = raised.value.problems
    assert problem.code == "RS401" and "no spec" in problem.what
    assert done.version in run(workspace, "models") and scored(workspace)

    (workspace / "models/other.yaml").write_text(
        "name: other\ntarget: {column: bad}\nlearners: [scorecard]\n"
    )
    assert [one.name for one in train(workspace, (), at=a.AT)] == ["other"]


FAULTS = [
    ("late,,1,,30,,", "late,,3,,30,,", "RS412", 7, "overlaps"),
    ("late,2,4,,-5,,", "late,3,4,,-5,,", "RS412", 7, "no row is for values from 1 to 3"),
    ("late,,1,,30,,", "late,,1,,many,,", "RS412", 6, '"many"'),
    ("income,,2000", "incme,,2000", "RS501", 3, '"incme"'),
    ("income,,2000", "income,100,2000", "RS412", 3, "below 100"),
    ("region,,,west", "region,,,west|north", "RS412", 10, '"north" of region occurs twice'),
    ("region,,,west", "region,3,4,", "RS412", 10, "is text"),
    ("income,missing,,,5,0,0", "income,missing,,,5,0,3", "RS412", 5, "cannot be"),
    ("late,5,,,-60,,", "late,missing,,,1,,\nlate,missing,,,2,,\nlate,5,,,-60,,", "RS412", 9,
     "second row for missing"),
    ("late,5,,,-60,,", "late,9,5,,-60,,", "RS412", 8, "No number lies"),
    ("feature,from", "thing,from", "RS412", 1, "are not those of a scorecard"),
    ("levels,points", "points,points", "RS412", 1, "2 columns points"),
    ("late,5,,,-60,,", "late,5,,,-60,,,7", "RS412", 8, "more cells"),
    ("late,5,,,-60,,", "late,5,,high,-60,,", "RS412", 8, "for a range and for levels"),
    ("income,missing,,,5,0,0", "income,missing,7,,5,0,0", "RS412", 5, '"missing" is none'),
    ("300,90", "-300,", "RS412", 3, "-300 is not a number of accounts"),
    ("300,90", "300,-90", "RS412", 3, "-90 is not a number of accounts"),
    ("300,90", "300.5,90", "RS412", 3, "300.5 is not a number of accounts"),
    ("region,,,west,", "bad,,,west,", "RS404", 10, "bad is what the model predicts"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code", "line", "what"), FAULTS)
def test_rows_that_are_wrong(
    workspace: Path, old: str, new: str, code: str, line: int, what: str
) -> None:
    assert CARD.count(old) == 1
    with pytest.raises(ProblemsError) as raised:
        take(workspace, CARD.replace(old, new))
    found = [(p.code, p.line, p.what) for p in raised.value.problems]
    assert any(c == code and n == line and what in w for c, n, w in found), found
    assert not (workspace / "models" / "made.yaml").exists()


def test_what_else_is_refused(workspace: Path) -> None:
    for text, meaning, more, code in (
        (CARD, NOTHING, {}, "RS412"),
        ("", POINTS, {}, "RS412"),
        (CARD, POINTS, {"target": None}, "RS401"),
        (CARD, POINTS, {"target": "soon"}, "RS408"),
        (CARD, POINTS, {"target": "column:worse"}, "RS408"),
    ):
        with pytest.raises(ProblemsError) as raised:
            take(workspace, text, meaning, **more)
        assert code in a.codes(raised.value)
    with pytest.raises(ProblemsError) as raised:
        import_card(workspace, workspace / "none.csv", "made", POINTS, at=a.AT)
    assert a.codes(raised.value) == ["RS412"]


def test_a_feature_and_a_level_are_no_words_of_the_table(tmp_path: Path) -> None:
    """A feature may be called total or base, and a level none: no row of theirs is lost."""
    rows = ["id,total,base,special,job,bad"]
    for n in range(40):
        job = ("none", "null", "na", "clerk", "")[n % 5]
        rows.append(f"{n},{n},{n % 4},{n},{job},{int(n % 3 == 0)}")
    types = {"total": "integer", "base": "integer", "special": "integer", "bad": "integer"}
    root = a.write(tmp_path / "workspace", "\n".join(rows) + "\n", {}, types=types)
    done = take(
        root,
        "feature,from,to,levels,points\nbase,,,,500\ntotal,,20,,-30\ntotal,20,,,30\n"
        "base,,2,,-7\nbase,2,,,7\nspecial,,9,,1\nspecial,9,,,2\n"
        "job,,,none,-60\njob,,,null|na,-10\njob,,,clerk,40\njob,,,missing,3\n",
    )
    assert done.features == 4
    with (root / "accounts.csv").open() as file:
        given = {row["id"]: row for row in csv.DictReader(file)}
    score(root, a.DAY, str(root / "scores.csv"))
    with (root / "scores.csv").open() as file:
        reported = {row["account_id"]: float(row["p_made"]) for row in csv.DictReader(file)}
    jobs = {"none": -60, "null": -10, "na": -10, "clerk": 40, "": 3}
    for name, row in given.items():
        points = 500 + (30 if int(row["total"]) >= 20 else -30)
        points += (7 if int(row["base"]) >= 2 else -7) + (2 if int(row["special"]) >= 9 else 1)
        points += jobs[row["job"]]
        odds = np.log(2) * (600 - points) / 20 - np.log(50)
        assert reported[name] == pytest.approx(1 / (1 + np.exp(-odds)), abs=2e-6), row


@pytest.mark.parametrize("word", ["none", "special", "missing", "Total"])
@pytest.mark.parametrize("column", ["bin", "levels"])
def test_a_word_that_is_a_level_too(tmp_path: Path, word: str, column: str) -> None:
    """Where accounts hold a word that may mean nulls or no row at all, the file must say which."""
    rows = [f"{n},{(word, 'clerk')[n % 2]},{int(n % 3 == 0)}" for n in range(20)]
    text = "\n".join(["id,job,bad", *rows]) + "\n"
    root = a.write(tmp_path / "workspace", text, {}, types={"bad": "integer"})
    card = f"feature,{column},points\njob,clerk,1\njob,{word},2\njob,other,3\n"
    if column == "levels" and word != "missing":
        assert not [note for note in take(root, card).notes if word in note]
        return
    with pytest.raises(ProblemsError) as raised:
        take(root, card)
    [found] = raised.value.problems
    assert (found.code, found.line) == ("RS412", 3)
    assert f'["{word}"]' in found.hint
    quoted = card.replace(f"job,{word}", f'job,"[""{word}""]"')
    done = take(root, quoted)
    levels = bins(root, "made", feature="job").features[0]
    assert done.champion and [b.points for b in levels.bins][:3] == [1.0, 2.0, 3.0]


def test_a_feature_in_two_letter_cases_is_one(workspace: Path) -> None:
    take(workspace, CARD.replace("income,,2000", "INCOME,,2000"))
    first = scored(workspace)
    take(workspace, CARD, promote=True)
    assert scored(workspace) == first


@pytest.mark.parametrize(
    ("text", "meaning", "line"),
    [
        (CARD.replace("points", "log_odds"), Meaning(base=Decimal("1e308")), None),
        (CARD.replace("points", "log_odds"), Meaning(base=Decimal("nan")), None),
        (CARD, Meaning(Scale(600, 50, 1e-300)), None),
        (CARD, Meaning(Scale(1e308, 1, 14)), None),
        (CARD, Meaning(Scale(600, 50, float("nan"))), None),
        (CARD, Meaning(Scale(600, float("inf"), 20)), None),
        ("feature,bin,woe,coefficient\nincome,< 9,1e9,1e9\nincome,>= 9,0,1\n", NOTHING, 2),
    ],
)
def test_what_cannot_be_added_up_is_refused(
    workspace: Path, text: str, meaning: Meaning, line: int | None
) -> None:
    with pytest.raises(ProblemsError) as raised:
        take(workspace, text, meaning)
    [found] = raised.value.problems
    assert (found.code, found.line) == ("RS412", line)


def test_points_that_do_not_fit_their_scale_are_noted(workspace: Path) -> None:
    assert (
        "every account gets the probability 1"
        in take(workspace, CARD.replace("base,,,,400", "base,,,,-400")).notes[-1]
    )
    assert set(scored(workspace)) == {1.0}


@pytest.mark.parametrize("name", ["features", "../made", "Made", "a\ntarget", ""])
def test_names_that_no_model_has(workspace: Path, name: str) -> None:
    before = {path: path.read_bytes() for path in workspace.rglob("*.yaml")}
    file = workspace / "card.csv"
    file.write_text(CARD)
    with pytest.raises(ProblemsError) as raised:
        import_card(workspace, file, name, POINTS, target="column:bad", at=a.AT)
    assert a.codes(raised.value) == ["RS004"]
    assert {path: path.read_bytes() for path in workspace.rglob("*.yaml")} == before


def test_a_spec_of_another_name(workspace: Path) -> None:
    (workspace / "models" / "made.yaml").write_text("name: other\ntarget: {column: bad}\n")
    with pytest.raises(ProblemsError) as raised:
        take(workspace, CARD)
    assert a.codes(raised.value) == ["RS004"]


def test_check_finds_wrong_edits(workspace: Path) -> None:
    (workspace / "models" / "made.yaml").write_text(
        "name: made\ntarget: {column: bad}\nscorecard:\n  max_bins: 4\n  edits:\n"
        "    incme: {drop: true}\n    late: {cuts: [3, 1]}\n    region: {monotone: increasing}\n"
        "    bad: {drop: true}\n"
    )
    found = [(p.code, p.line) for p in check(workspace).problems if p.code != "RS200"]
    assert found == [("RS501", 6), ("RS004", 7), ("RS004", 8), ("RS501", 9)]


def test_bounds_and_bins_in_the_terminal(workspace: Path) -> None:
    (workspace / "models" / "made.yaml").write_text(
        "name: made\ntarget: {column: bad}\nlearners: [scorecard]\nscorecard:\n"
        "  binning: optbinning\n  max_bins: 4\n  edits: {income: {monotone: decreasing}}\n"
    )
    train(workspace, (), at=a.AT)
    reported = run(workspace, "models", "bins", "made")
    assert "IV" in reported and max(map(len, reported.splitlines()[1:-1])) <= 80
    for one in bins(workspace, "made").features:
        assert len(one.bins) <= 4 + 1 + (one.risk == "levels")
        assert one.auc is not None and one.iv is not None
    assert "WoE" in run(workspace, "models", "bins", "made", "income")
    with pytest.raises(ProblemsError) as raised:
        bins(workspace, "made", feature="incme")
    assert "income" in raised.value.problems[0].hint
    assert versions.show(workspace, "made").form == "classic"
