"""`strategy sheet export` and `import`: decision tables out to sheets, and in from them.

An import judges everything before it writes anything: the sheets, then the whole strategy with
their tables in place of its own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path

from riskseg.domain.documents import Document, read_yaml
from riskseg.domain.problems import Problem, Problems, ProblemsError, did_you_mean, problem
from riskseg.domain.system_errors import read_cure
from riskseg.pipeline.outputs import check_output, make_folder
from riskseg.pipeline.session import begin, locked, open_checked, scratch_engine
from riskseg.pipeline.stages import Progress
from riskseg.pipeline.strategies import read_authored, read_checked
from riskseg.results.sheets import SheetChange, SheetExport, SheetImport
from riskseg.rules.model import Strategy
from riskseg.store.files import write_beside
from riskseg.strategy.shapes import AuthoredSegments, AuthoredTiers
from riskseg.strategy.sheets import segments_csv
from riskseg.strategy.sheets.cells import read_name
from riskseg.strategy.sheets.files import (
    check_texts,
    csv_bytes,
    read_csv,
    read_workbook,
    unfit,
    workbook_bytes,
)
from riskseg.strategy.sheets.layout import Laid, segments_yaml, tiers_yaml
from riskseg.strategy.sheets.tables import (
    SEGMENTS,
    Grid,
    Sheet,
    SheetDocument,
    scheme_grid,
    segments_document,
    segments_grid,
    tiers_document,
)
from riskseg.workspace import Workspace

_SEGMENTS_FILE, _TIERS_FILE = "segments.yaml", "tiers.yaml"


def export(root: Path, out: str) -> SheetExport:
    """Write the strategy's tables to a workbook (.xlsx), or to a folder as one CSV file each.
    Files that stand there are replaced. Raises RS010, RS219 and the Problems of the files' shape.
    """
    out_path, workbook = _place(out), out.lower().endswith(".xlsx")
    workspace, problems = open_checked(root), Problems()
    _not_the_strategy(workspace, out_path if not workbook else out_path.parent, out)
    check_output(workspace, out_path, problems)
    authored = read_authored(workspace, problems)
    problems.raise_if_any()
    assert authored is not None
    segments = authored.documents[_SEGMENTS_FILE]
    tiers = authored.documents[_TIERS_FILE]
    grids = {SEGMENTS: segments_grid(segments, problems)}
    for sheet_name in authored.tiers.root:
        reason = unfit(sheet_name, workbook=workbook)
        if sheet_name.casefold() in {sheet_taken.casefold() for sheet_taken in grids}:
            reason = "another sheet has that name"
        if reason:
            message = f'The scheme "{sheet_name}" cannot have a sheet of its name: {reason}.'
            hint = "Give it another name."
            if workbook and not unfit(sheet_name, workbook=False):
                hint = "Give it another name, or export to a folder of CSV files."
            problems.add("RS219", message, hint=hint, **tiers.at(sheet_name))
        grids[sheet_name] = scheme_grid(tiers, sheet_name, problems)
    for sheet_name, sheet_grid in grids.items():
        sheet_place = (
            f"{out}, sheet {sheet_name}" if workbook else str(out_path / f"{sheet_name}.csv")
        )
        check_texts(sheet_grid, sheet_place, problems, workbook=workbook)
    problems.raise_if_any()
    contents = (
        {out_path: workbook_bytes(grids)}
        if workbook
        else {
            out_path / f"{sheet_name}.csv": csv_bytes(sheet_grid)
            for sheet_name, sheet_grid in grids.items()
        }
    )
    if not workbook:
        make_folder(out_path)
    for file_name, file_content in contents.items():
        with write_beside(file_name, token="sheet") as draft:
            draft.write_bytes(file_content)
    row_counts = {sheet_name: len(sheet_grid) - 1 for sheet_name, sheet_grid in grids.items()}
    return SheetExport(
        strategy=authored.head.name, files=tuple(map(str, contents)), rows=row_counts
    )


def _place(out: str) -> Path:
    """The workbook or folder that was named; an ending of another kind of file is RS010."""
    if not out.strip():
        hint = "Name an .xlsx file, or a folder for one CSV file each."
        raise problem("RS010", "No file or folder is named.", file="--out", hint=hint)
    named_place = Path(out)
    ending = named_place.suffix.lower()
    if not named_place.is_dir() and ending in {
        ".csv",
        ".xls",
        ".xlsm",
        ".ods",
        ".parquet",
        ".json",
    }:
        raise problem(
            "RS010",
            f"Sheets are not kept in a {ending} file.",
            file=out,
            hint="Name an .xlsx file, or a folder for one CSV file each.",
        )
    return named_place


def _not_the_strategy(workspace: Workspace, folder: Path, out: str) -> None:
    if folder.resolve() == workspace.strategy.resolve():
        raise problem(
            "RS010",
            "This is the strategy's own folder, where only its own files stand.",
            file=out,
            hint="Name another place.",
        )


def import_(
    root: Path, place: Path, *, dry_run: bool = False, progress: Progress | None = None
) -> SheetImport:
    """Take the segments and tiers from sheets. Raises RS217, RS218, and every Problem of
    the strategy there would be, before anything is written; where columns come or go it is noted
    then, since that can be what they come of. A file whose content would stay as it is keeps its
    bytes."""
    progress = progress or Progress()
    workspace, problems = open_checked(root), Problems()
    with nullcontext() if dry_run else locked(workspace, workspace.strategy):
        segments_csv.is_only_table(workspace.strategy, problems, shown=workspace.settings.strategy)
        sheets = _read(place, problems)
        _raise(problems)
        documents = _documents(workspace, place, sheets, problems)
        _raise(problems)
        sheet_changes: list[SheetChange] = []
        differing: list[str] = []
        for document_name, document in documents.items():
            grids_before, grids_after = (
                _before(workspace, document_name),
                _grids(document_name, document, Problems()),
            )
            changes = [
                _change(sheet_change, grids_before.get(sheet_change), grid)
                for sheet_change, grid in grids_after.items()
            ]
            sheet_changes += changes
            if (
                any(change.differs for change in changes)
                or grids_before.keys() != grids_after.keys()
            ):
                differing.append(document_name)
        strategy = _checked(workspace, documents, problems)
        if len(problems):
            for sheet_change in sheet_changes:
                if sheet_change.columns:
                    progress.note(f"{sheet_change.table}: {'; '.join(sheet_change.column_changes)}")
        _raise(problems)
        assert strategy is not None
        paths = {document_name: _path(workspace, document_name) for document_name in differing}
        layouts = {
            path: _laid(path, document_name, documents[document_name])
            for document_name, path in paths.items()
        }
        if not dry_run:
            _write(layouts)
    return SheetImport(
        strategy=strategy.name,
        version=strategy.fingerprint,
        dry_run=dry_run,
        tables=tuple(sheet_changes),
        files=tuple(f"{workspace.settings.strategy}/{path.name}" for path in layouts),
        comments_lost=sum(sheet_change.comments_lost for sheet_change in layouts.values()),
    )


def _read(place: Path, problems: Problems) -> list[Sheet]:
    """The sheets of a workbook, or of the CSV files in a folder."""
    shown_place = str(place)
    if place.is_dir():
        csv_files = sorted(
            csv_path
            for csv_path in place.iterdir()
            if csv_path.suffix.lower() == ".csv"
            and csv_path.is_file()
            and not csv_path.name.startswith(".")
        )
        if not csv_files:
            problems.add("RS217", "The folder holds no CSV file.", file=shown_place)
        sheets = (
            read_csv(_bytes(csv_path), csv_path.stem, str(place / csv_path.name), problems)
            for csv_path in csv_files
        )
        return [sheet for sheet in sheets if sheet is not None]
    if not place.is_file():
        problems.add("RS217", "There is no such workbook or folder.", file=shown_place)
        return []
    if place.suffix.lower() == ".csv":
        message = "This is one sheet; a strategy's tables are several."
        problems.add(
            "RS217", message, file=shown_place, hint="Name the folder that holds all of them."
        )
        return []
    return read_workbook(_bytes(place), shown_place, problems) or []


def _bytes(place: Path) -> bytes:
    try:
        return place.read_bytes()
    except OSError as error:
        message = f"This cannot be read: {os.strerror(error.errno or 0).lower()}."
        raise problem("RS217", message, file=str(place), hint=read_cure(error)) from error


def _documents(
    workspace: Workspace, place: Path, sheets: Sequence[Sheet], problems: Problems
) -> dict[str, SheetDocument]:
    """The documents that stand in for the strategy's files. There is a sheet for each table the
    strategy has, and no other: a name misspelt is neither a table lost nor one made."""
    schemes = _schemes(workspace, problems)
    sheet_by_name: dict[str, Sheet] = {}
    for sheet in sheets:
        if sheet.name in sheet_by_name:
            message = f'There are two of the name "{sheet.name}".'
            problems.add("RS217", message, file=sheet.where, hint="Keep one of them.")
        sheet_by_name[sheet.name] = sheet
    table_names = [SEGMENTS, *schemes]
    for table_name, sheet in sheet_by_name.items():
        if table_name not in table_names and (sheet.rows or sheet.faulty):
            message = f'There is no table "{table_name}" in the strategy.'
            hint = did_you_mean(table_name, table_names)
            if hint.startswith("Known"):
                hint = f"{hint} A new scheme is begun in tiers.yaml."
            problems.add("RS217", message, file=sheet.where, hint=hint)
    for table_name in table_names:
        if table_name not in sheet_by_name:
            kind_of_place = "sheet" if place.is_file() else "file"
            message = (
                f'There is no {kind_of_place} "{table_name}{"" if place.is_file() else ".csv"}".'
            )
            hint = "An import takes all tables of the strategy: add it, as an export writes it."
            problems.add("RS217", message, file=str(place), hint=hint)
    documents: dict[str, SheetDocument] = {}
    if SEGMENTS in sheet_by_name:
        segments = segments_document(sheet_by_name[SEGMENTS], problems, _columns_now(workspace))
        if segments is not None:
            documents[_SEGMENTS_FILE] = segments
    if schemes:
        sheets_of_schemes = [
            sheet_by_name[table_name] for table_name in schemes if table_name in sheet_by_name
        ]
        tiers = tiers_document(sheets_of_schemes, str(place), problems)
        if tiers is not None:
            documents[_TIERS_FILE] = tiers
    return documents


def _schemes(workspace: Workspace, problems: Problems) -> list[str]:
    """The names of the schemes of tiers.yaml, in its order."""
    tiers_file = workspace.strategy / _TIERS_FILE
    if not tiers_file.is_file():
        return []
    document = read_yaml(tiers_file, problems, shown=f"{workspace.settings.strategy}/{_TIERS_FILE}")
    tiers_data = document.data if document is not None else {}
    return [str(scheme_name) for scheme_name in tiers_data] if isinstance(tiers_data, dict) else []


def _checked(
    workspace: Workspace, instead: Mapping[str, SheetDocument], problems: Problems
) -> Strategy | None:
    faults = Problems()
    with scratch_engine(workspace) as engine:
        strategy = read_checked(begin(workspace, engine), faults, instead=instead)
    for fault in faults:
        for document in instead.values():
            fault = document.located(fault)
        problems.extend([fault])
    return strategy


def _grids(name: str, document: Document, problems: Problems) -> dict[str, Grid]:
    if name == _SEGMENTS_FILE:
        return {SEGMENTS: segments_grid(document, problems)}
    return {scheme: scheme_grid(document, scheme, problems) for scheme in document.data}


def _before(workspace: Workspace, name: str) -> dict[str, Grid]:
    """The grids of a file as it stands; none where it is absent, or no sheet could hold it."""
    unreported, path = Problems(), _path(workspace, name)
    if path.name == segments_csv.FILE:
        document: Document | None = segments_csv.read_segments_csv(
            path.parent, unreported, shown=""
        )
    else:
        document = read_yaml(path, unreported) if path.is_file() else None
    shape = AuthoredSegments if name == _SEGMENTS_FILE else AuthoredTiers
    if document is None or document.shaped(shape, unreported) is None:
        return {}
    grids = _grids(name, document, unreported)
    return grids if not len(unreported) else {}


def _columns_now(workspace: Workspace) -> list[str]:
    """The columns of the segments as they stand."""
    grid = _before(workspace, _SEGMENTS_FILE).get(SEGMENTS)
    return [read_name(header) for header in grid[0][1:-1]] if grid else []


def _change(table: str, before: Grid | None, after: Grid) -> SheetChange:
    old_columns, new_columns = before[0] if before else [], after[0]
    old_rows, new_rows = _named(before[1:] if before else []), _named(after[1:])
    common = [row_name for row_name in new_rows if row_name in old_rows]
    added = tuple(row_name for row_name in new_rows if row_name not in old_rows)
    removed = tuple(row_name for row_name in old_rows if row_name not in new_rows)
    changed = tuple(row_name for row_name in common if new_rows[row_name] != old_rows[row_name])
    moved = common != [row_name for row_name in old_rows if row_name in new_rows]
    return SheetChange(
        table=table,
        rows=len(new_rows),
        added=added,
        removed=removed,
        changed=changed,
        moved=moved,
        columns=old_columns != new_columns,
        differs=bool(added or removed or changed or moved or old_columns != new_columns),
        columns_added=tuple(
            row_name for row_name in new_columns if old_columns and row_name not in old_columns
        ),
        columns_removed=tuple(row_name for row_name in old_columns if row_name not in new_columns),
    )


def _named(rows: Sequence[Sequence[str]]) -> dict[str, Sequence[str]]:
    """Rows by their first cell; the second of the same name is `name (2)`."""
    count_by_name: dict[str, int] = {}
    row_by_name: dict[str, Sequence[str]] = {}
    for row in rows:
        count_by_name[row[0]] = occurrence = count_by_name.get(row[0], 0) + 1
        row_by_name[row[0] if occurrence == 1 else f"{row[0]} ({occurrence})"] = row
    return row_by_name


def _path(workspace: Workspace, name: str) -> Path:
    """The file that holds the table of that name: segments may stand in a sheet themselves."""
    folder = workspace.strategy
    in_sheet = name == _SEGMENTS_FILE and segments_csv.exists(folder)
    return folder / (segments_csv.FILE if in_sheet else name)


def _laid(path: Path, name: str, document: Document) -> Laid:
    if path.name == segments_csv.FILE:
        return Laid(csv_bytes(segments_grid(document, Problems())), 0)
    # What is replaced may be broken in any way; its comments are kept where they can be read.
    old_text = path.read_text(encoding="utf-8-sig", errors="replace") if path.is_file() else ""
    return (segments_yaml if name == _SEGMENTS_FILE else tiers_yaml)(document.data, old_text)


def _write(layouts: Mapping[Path, Laid]) -> None:
    """All files are written beside before the first is renamed."""
    with ExitStack() as stack:
        for path, layout in layouts.items():
            stack.enter_context(write_beside(path, token="sheet")).write_bytes(layout.content)


def _raise(problems: Problems) -> None:
    """Raise what was found, cells in the order of their rows: C7 before C10."""
    if len(problems):
        raise ProblemsError(sorted(problems, key=_by_place))


def _by_place(fault: Problem) -> tuple[object, ...]:
    sheet, _, cell = (fault.file or "").partition(", cell ")
    coordinates = re.fullmatch(r"([A-Z]+)(\d+)", cell)
    position = (
        (int(coordinates[2]), len(coordinates[1]), coordinates[1]) if coordinates else (0, 0, "")
    )
    return (sheet, *position, fault.line or 0, fault.code)
