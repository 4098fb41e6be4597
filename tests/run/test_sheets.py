"""Tables out to a workbook, changed as people change them, and in again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from openpyxl import load_workbook
from typer.testing import CliRunner

from riskseg.cli import app
from tests.support import portfolio as p

Copy = Callable[[Path], Path]
SEGMENTS, TIERS = f"{p.STRATEGY}/segments.yaml", f"{p.STRATEGY}/tiers.yaml"


def run(workspace: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["-w", str(workspace), "strategy", *arguments])


def reported(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def strategy_files(workspace: Path) -> dict[str, bytes]:
    return {f.name: f.read_bytes() for f in sorted((workspace / p.STRATEGY).iterdir())}


@pytest.fixture(scope="module")
def mine(sound: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace for imports that are refused, and so change nothing."""
    return p.copied(sound, tmp_path_factory.mktemp("sheets") / "workspace")


@pytest.fixture
def book(mine: Path, tmp_path: Path) -> Path:
    place = tmp_path / "tables.xlsx"
    reported(run(mine, "sheet", "export", "--out", str(place), "--json"))
    return place


def change(book: Path, **cells: object) -> None:
    """Set cells: `segments_D7=...`."""
    opened = load_workbook(book)
    for name, value in cells.items():
        sheet, _, cell = name.rpartition("_")
        opened[sheet][cell] = value
    opened.save(book)


def version(workspace: Path) -> str:
    return str(reported(run(workspace, "check", "--json"))["version"])


@pytest.mark.parametrize("out", ["tables.xlsx", "tables"])
def test_out_and_in_again_changes_no_byte(
    sound: Path, copy_of: Copy, tmp_path: Path, out: str
) -> None:
    workspace, place = copy_of(sound), tmp_path / out
    # A list of one is a level, and `unknown` may stand before `when`: the same content.
    p.replace(
        workspace, SEGMENTS, "match: [any, in_arrears, low,", "match: [any, in_arrears, [low],"
    )
    p.replace(
        workspace,
        TIERS,
        "when: months_on_book < 6, unknown: match",
        "unknown: match, when: months_on_book < 6",
    )
    before = strategy_files(workspace)
    exported = reported(run(workspace, "sheet", "export", "--out", str(place), "--json"))
    assert exported["rows"] == {"segments": 10, "standing": 2, "behaviour": 6}
    first = {file: Path(file).read_bytes() for file in exported["files"]}
    done = reported(run(workspace, "sheet", "import", str(place), "--json"))
    assert done["files"] == []
    assert not any(table["differs"] for table in done["tables"])
    assert strategy_files(workspace) == before
    reported(run(workspace, "sheet", "export", "--out", str(place), "--json"))
    assert {file: Path(file).read_bytes() for file in exported["files"]} == first


@pytest.mark.parametrize("dry", [True, False])
def test_a_change_in_the_sheet_is_the_change_in_the_strategy(
    sound: Path, copy_of: Copy, book: Path, dry: bool
) -> None:
    workspace, by_hand = copy_of(sound), copy_of(sound)
    change(book, segments_D8="low, medium", behaviour_B3="months_on_book < 7")
    done = reported(run(workspace, "sheet", "import", str(book), "--json", *["--dry-run"] * dry))
    assert {t["table"]: t["changed"] for t in done["tables"]} == {
        "segments": ["self_cure"],
        "standing": [],
        "behaviour": ["new"],
    }
    assert done["files"] == [SEGMENTS, TIERS]
    if dry:
        assert strategy_files(workspace) == strategy_files(sound)
        return
    p.replace(by_hand, SEGMENTS, "in_arrears, low, [", "in_arrears, [low, medium], [")
    p.replace(by_hand, TIERS, "months_on_book < 6", "months_on_book < 7")
    assert version(workspace) == version(by_hand) == done["version"]
    for name in ("segments.yaml", "tiers.yaml"):
        old, new = ((w / p.STRATEGY / name).read_text() for w in (sound, workspace))
        assert old.splitlines()[:2] == new.splitlines()[:2]
        assert old.startswith("#")


def test_rows_added_taken_away_and_moved(mine: Path, book: Path) -> None:
    opened = load_workbook(book)
    sheet = opened["segments"]
    sheet.delete_rows(4)
    sheet.insert_rows(2)
    row = ["first", "live", "in_arrears", "very_high", "in_default", "any", "recovery"]
    for column, text in enumerate(row, start=1):
        sheet.cell(2, column, text)
    tiers = opened["behaviour"]
    below, above = ([tiers.cell(row, c).value for c in (1, 2)] for row in (4, 5))
    for row_number, texts in ((4, above), (5, below)):
        for column, text_ in enumerate(texts, start=1):
            tiers.cell(row_number, column, text_)
    opened.save(book)
    done = reported(run(mine, "sheet", "import", str(book), "--json", "--dry-run"))
    segments, _, behaviour = done["tables"]
    assert (segments["added"], segments["removed"]) == (["first"], ["closed"])
    assert (segments["changed"], segments["moved"]) == ([], False)
    assert (behaviour["changed"], behaviour["moved"]) == ([], True)


def test_columns_added_and_dropped_are_reported(mine: Path, book: Path) -> None:
    opened = load_workbook(book)
    sheet = opened["segments"]
    assert sheet["F1"].value == "late_risk"
    sheet["F1"] = "account_class"
    for number in range(2, 12):
        sheet.cell(number, 6, "any")
    opened.save(book)
    result = run(mine, "sheet", "import", str(book), "--dry-run")
    # What it comes to is a Problem here; that columns come and go is reported all the same.
    assert result.exit_code == 1
    assert "segments: columns added: account_class; columns dropped: late_risk" in result.stderr
    sheet.delete_cols(6)
    sheet["B10"] = "live"
    opened.save(book)
    result = run(mine, "sheet", "import", str(book), "--dry-run")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "segments: 10 rows; columns dropped: late_risk; changed: " in result.stdout
    done = reported(run(mine, "sheet", "import", str(book), "--dry-run", "--json"))
    segments = done["tables"][0]
    assert (segments["columns"], segments["columns_added"]) == (True, [])
    assert segments["columns_removed"] == ["late_risk"]


WHERE = "tables.xlsx, sheet"


@pytest.mark.parametrize(
    ("cells", "code", "place"),
    [
        ({"segments_D7": "high, verry_high"}, "RS205", "segments, cell D7"),
        ({"segments_B2": "any", "segments_B3": "any"}, "RS204", "segments, cell A3"),
        ({"segments_A10": "Odd Name"}, "RS004", "segments, cell A10"),
        ({"segments_A10": "closed"}, "RS202", "segments, cell A10"),
        ({"segments_C1": "standng"}, "RS201", "segments, cell C1"),
        ({"segments_G9": "nowhere"}, "RS207", "segments, cell G9"),
        ({"segments_B11": "live"}, "RS203", "segments, cell A11"),
        ({"segments_D7": "=high"}, "RS218", "segments, cell D7"),
        ({"segments_D7": None}, "RS218", "segments, cell D7"),
        ({"behaviour_B3": "months_on_bok < 6"}, "RS303", "behaviour, cell B3"),
        ({"behaviour_C3": None}, "RS305", "behaviour, cell B3"),
        ({"behaviour_C3": "perhaps"}, "RS004", "behaviour, cell C3"),
        ({"behaviour_B3": "otherwise"}, "RS204", "behaviour, cell A4"),
        ({"behaviour_B7": "days_past_due > 1"}, "RS203", "behaviour, cell A1"),
    ],
)
def test_a_fault_is_reported_by_its_cell_and_nothing_is_written(
    mine: Path, book: Path, cells: dict[str, object], code: str, place: str
) -> None:
    before = strategy_files(mine)
    change(book, **cells)
    result = run(mine, "sheet", "import", str(book), "--json")
    assert result.exit_code == 1, result.output
    problems = json.loads(result.stdout)["problems"]
    found = [(one["code"], one["file"].removeprefix(f"{book.parent}/")) for one in problems]
    assert (code, f"{WHERE} {place}") in found
    # A cover is reported in rows: nobody has seen lines.
    assert not any("line" in one["what"] + one["hint"] for one in problems)
    assert strategy_files(mine) == before


def test_cells_are_listed_as_they_stand(mine: Path, book: Path) -> None:
    change(book, segments_D10="lo", segments_D9="lo", segments_C9="lo")
    result = run(mine, "sheet", "import", str(book), "--json")
    cells = [one["file"].rpartition(" ")[2] for one in json.loads(result.stdout)["problems"]]
    assert cells == ["C9", "D9", "D10"]


def test_sheets_lost_or_unknown(mine: Path, book: Path, tmp_path: Path) -> None:
    opened = load_workbook(book)
    opened["standing"].title = "standin"
    opened.create_sheet("Sheet2")
    opened.save(book)
    result = run(mine, "sheet", "import", str(book))
    assert result.exit_code == 1
    assert "tables.xlsx, sheet standin: " in result.stderr and '"standing"?' in result.stderr
    assert 'There is no sheet "standing"' in result.stderr
    assert "Sheet2" not in result.stderr
    folder = tmp_path / "csv"
    reported(run(mine, "sheet", "export", "--out", str(folder), "--json"))
    (folder / "behaviour.csv").rename(folder / "behavior.csv")
    (folder / "notes.txt").write_text("no sheet")
    (folder / ".hidden.csv").write_text("no sheet")
    result = run(mine, "sheet", "import", str(folder))
    assert 'no file "behaviour.csv"' in result.stderr and 'no table "behavior"' in result.stderr
    assert result.stderr.count("RS217") == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["import", "none.xlsx"], "RS217"),
        (["import", "{empty}"], "RS217"),
        (["import", "{root}/data/bills.csv"], "RS217"),
        (["import", "{root}/riskseg.toml"], "RS217"),
        (["export", "--out", "tables.csv"], "RS010"),
        (["export", "--out", ""], "RS010"),
        (["export", "--out", "{root}/" + p.STRATEGY], "RS010"),
        (["export", "--out", "{root}/" + p.STRATEGY + "/tables.xlsx"], "RS010"),
        (["export", "--out", "{empty}/no/tables.xlsx"], "RS010"),
        (["export", "--out", "{root}/riskseg.toml/tables"], "RS010"),
    ],
)
def test_places_that_are_none(mine: Path, tmp_path: Path, arguments: list[str], code: str) -> None:
    given = [a.format(root=mine, empty=tmp_path) for a in arguments]
    result = run(mine, "sheet", *given)
    assert (result.exit_code, result.stderr.count(code)) == (1, 1), result.output


def test_a_scheme_no_workbook_can_name_goes_to_csv(
    sound: Path, copy_of: Copy, tmp_path: Path
) -> None:
    workspace = copy_of(sound)
    tiers = workspace / TIERS
    with tiers.open("a") as file:
        file.write("\nhistory:\n  - {tier: all, otherwise: true}\n")
    result = run(workspace, "sheet", "export", "--out", str(tmp_path / "t.xlsx"))
    line = len(tiers.read_text().splitlines()) - 1
    assert f"RS219 {TIERS}:{line}" in result.stderr and "CSV" in result.stderr
    reported(run(workspace, "sheet", "export", "--out", str(tmp_path / "t"), "--json"))
    assert (tmp_path / "t" / "history.csv").is_file()


def test_what_import_replaces_may_be_broken_or_gone(sound: Path, copy_of: Copy, book: Path) -> None:
    workspace = copy_of(sound)
    expected = version(workspace)
    (workspace / SEGMENTS).write_text("# Kept.\nrows: [")
    reported(run(workspace, "sheet", "import", str(book), "--json"))
    assert (workspace / SEGMENTS).read_text().startswith("# Kept.\ncolumns: [lifecycle,")
    assert version(workspace) == expected
    (workspace / SEGMENTS).unlink()
    reported(run(workspace, "sheet", "import", str(book), "--json"))
    assert version(workspace) == expected


def test_segments_may_stand_in_a_sheet_themselves(
    sound: Path, copy_of: Copy, book: Path, tmp_path: Path
) -> None:
    workspace = copy_of(sound)
    expected = version(workspace)
    folder, own = tmp_path / "csv", workspace / p.STRATEGY / "segments.csv"
    reported(run(workspace, "sheet", "export", "--out", str(folder), "--json"))
    own.write_bytes((folder / "segments.csv").read_bytes())
    for arguments in (["check"], ["sheet", "import", str(book)]):
        result = run(workspace, *arguments)
        assert result.exit_code == 1 and result.stderr.count("RS217") == 1
    (workspace / SEGMENTS).unlink()
    assert version(workspace) == expected
    before = strategy_files(workspace)
    assert reported(run(workspace, "sheet", "import", str(folder), "--json"))["files"] == []
    assert strategy_files(workspace) == before
    change(book, segments_D8="low, medium")
    done = reported(run(workspace, "sheet", "import", str(book), "--json"))
    assert done["files"] == [f"{p.STRATEGY}/segments.csv"]
    assert '"low, medium"' in own.read_text() and not (workspace / SEGMENTS).exists()
    assert version(workspace) == done["version"] != expected
    own.write_text(own.read_text().replace("low, medium", "low, medum"))
    result = run(workspace, "check")
    assert f"RS205 {p.STRATEGY}/segments.csv, cell D8" in result.stderr


def test_openpyxl_is_loaded_by_workbooks_alone(mine: Path, tmp_path: Path) -> None:
    for arguments, loaded in (
        (["--help"], False),
        (["-w", str(mine), "strategy", "sheet", "export", "--out", str(tmp_path)], False),
        (["-w", str(mine), "strategy", "sheet", "export", "--out", str(tmp_path / "t.xlsx")], True),
    ):
        start = f"""
import sys
import riskseg.cli
try:
    riskseg.cli.app({arguments!r})
except SystemExit as end:
    assert end.code in (0, None), end.code
print("openpyxl" in sys.modules, file=sys.stderr)
"""
        done = subprocess.run([sys.executable, "-c", start], capture_output=True, text=True)
        assert done.stderr.splitlines()[-1] == str(loaded), done.stderr
